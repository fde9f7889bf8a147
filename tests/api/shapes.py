"""Bodies as the platform sends them, with the fields and the gaps of recorded traffic."""

from __future__ import annotations

from typing import Any

Json = Any


def server(name: str = "WA1ACMEWEB01", **changes: Json) -> Json:
    """A server entity in the recorded order of fields."""
    entity = {
        "id": name.lower(),
        "name": name,
        "description": "web front",
        "groupId": "2a5c0b9662cf4fc8bf6180f139facdc0",
        "isTemplate": False,
        "locationId": "WA1",
        "osType": "Windows 2012 64-bit",
        "os": "windows2012_64Bit",
        "status": "active",
        "details": {
            "ipAddresses": [
                {"internal": "10.82.131.44", "public": "91.14.111.101"},
                {"internal": "10.82.131.45"},
            ],
            "secondaryIPAddresses": [],
            "alertPolicies": [{"id": "15836e6219e84ac736d01d4e571bb950", "name": "CPU high", "links": []}],
            "cpu": 2,
            "diskCount": 1,
            "hostName": f"{name.lower()}.example",
            "inMaintenanceMode": False,
            "memoryMB": 4096,
            "powerState": "started",
            "storageGB": 60,
            "disks": [{"id": "0:0", "sizeGB": 60, "partitionPaths": ["C:", "D:"]}],
            "partitions": [{"sizeGB": 60.0, "path": "C:"}],
            "snapshots": [{"name": "2014-05-16.23:45:52", "links": []}],
            "customFields": [{"id": "22f", "name": "Owner", "value": "b20", "displayValue": "Team Blue"}],
        },
        "type": "standard",
        "storageType": "standard",
        "changeInfo": {
            "createdDate": "2012-12-17T01:17:17Z",
            "createdBy": "user@domain",
            "modifiedDate": "2014-05-16T23:49:25Z",
            "modifiedBy": "jane@acme",
        },
        "links": [{"rel": "self", "href": f"/v2/servers/acme/{name.lower()}", "id": name.lower()}],
    }
    return entity | changes


def group(id_: str, name: str, *, groups: Json = (), servers: Json = (), **changes: Json) -> Json:
    """A group node of a detailed tree."""
    node = {
        "id": id_,
        "name": name,
        "description": "",
        "locationId": "WA1",
        "type": "default",
        "status": "active",
        "serversCount": 0,
        "groups": groups,
        "servers": servers,
        "links": [{"rel": "self", "href": f"/v2/groups/acme/{id_}", "id": id_, "verbs": ["GET"]}],
        "changeInfo": {"createdBy": "x", "createdDate": "2012-12-17T01:17:17Z"},
        "customFields": [],
    }
    return node | changes


def tree() -> Json:
    """A small data center: nested groups, archive, templates, and servers in every state."""
    return group(
        "a0",
        "WA1 Hardware",
        groups=[
            group("b0", "Archive", type="archive", servers=[archived()]),
            group("c0", "Templates", type="templates", servers=[server("WA1ACMETMPL01", isTemplate=True)]),
            group(
                "d0",
                "Web",
                servers=[server("WA1ACMEWEB01"), building()],
                groups=[group("e0", "Prod", servers=[server("WA1ACMEWEB02"), paused()])],
            ),
        ],
    )


def archived() -> Json:
    """An archived server, which has only two details in a listing."""
    return server("WA1ACMEOLD01", status="archived", details={"powerState": "stopped", "storageGB": 17})


def building() -> Json:
    """A server under construction, which has no details."""
    entity = server("WA1ACMENEW01", status="underConstruction")
    del entity["details"]
    return entity


def paused() -> Json:
    """A server that is paused and in maintenance."""
    entity = server("WA1ACMEDB03")
    entity["details"] |= {"powerState": "paused", "inMaintenanceMode": True}
    return entity


def data_centers() -> Json:
    """The list with groupLinks=true."""
    return [
        {
            "id": code,
            "name": f"{code.upper()} - Somewhere",
            "links": [
                {"rel": "self", "href": f"/v2/datacenters/acme/{code}"},
                {"rel": "group", "href": f"/v2/groups/acme/{root}", "id": root, "name": f"{code} Hardware"},
            ],
        }
        for code, root in (("wa1", "a0"), ("de1", "f0"))
    ]


def answers() -> Json:
    """The answer to an operation on three servers, one of them refused."""
    link = {"rel": "status", "href": "/v2/operations/acme/status/wa1-12345", "id": "wa1-12345"}
    return [
        {"server": "wa1acmeweb02", "isQueued": True, "links": [link]},
        {"server": "wa1acmeweb01", "isQueued": True, "links": [link]},
        {"server": "wa1acmeold01", "isQueued": False, "errorMessage": "The operation cannot be queued."},
    ]


def session() -> Json:
    """The answer to a login."""
    return {
        "userName": "demo@acme",
        "accountAlias": "ACME",
        "locationAlias": "WA1",
        "roles": ["ServerAdmin"],
        "bearerToken": "eyJ0eXAi.eyJpc3Mi.c2ln",
    }
