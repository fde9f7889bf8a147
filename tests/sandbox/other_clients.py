"""What other clients of the platform send, and what they read from the answers.

Each is a login and the requests of one or some commands, in the order in which the client makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Reads = Mapping[str, Any]
"""Path in the JSON -> its type, or its value. Paths are those of `test_other_clients.look`."""


class Step(NamedTuple):
    """One request. Texts in braces stand for what was kept before: `{server}` for the name of a server."""

    method: str
    path: str
    reads: Reads = {}
    body: Any = None
    """Sent as JSON; None for a request without a body."""
    status: int = 200
    keeps: Mapping[str, str] = {}
    """Name -> path in the JSON of what later steps use."""
    until: str | None = None
    """Repeated while the job has not ended, until it has this status."""


class Client(NamedTuple):
    """One command of a client."""

    name: str
    headers: Mapping[str, str]
    """Of every request."""
    steps: tuple[Step, ...]
    login_reads: Reads = {"bearerToken": str, "accountAlias": "ACME"}
    body_headers: Mapping[str, str] = {}
    """Of every request with a body."""
    poll: float = 2.0
    """Seconds between two reads of a job's status."""
    target: str = "started"
    """The power state of the server that `{server}` stands for."""


JSON = {"Content-Type": "application/json"}
ENTITY = {"[0].isQueued": True, "[0].links[rel=status].id": str}
JOB = {"job": "[0].links[rel=status].id"}
LINK = {"rel": "status", "href": str, "id": str}
LINKED_JOB = {"job": "id"}


def get(path: str, reads: Reads, **more: Any) -> Step:
    """A read."""
    return Step("GET", path, reads, **more)


def operation(name: str, body: Any, **more: Any) -> Step:
    """An operation on servers; the client goes on with the first entity of the answer."""
    return Step("POST", f"/v2/operations/ACME/servers/{name}", ENTITY, body, keeps=JOB, **more)


WAIT = Step("GET", "/v2/operations/ACME/status/{job}", {"status": str}, until="succeeded")

GO_SDK = {"User-Agent": "CenturyLinkCloud/clc-sdk", "Api-Client": "CenturyLinkCloud/clc-sdk"}
GO_SDK |= {"Accept": "application/json"}
GO_SDK_LOGIN = {
    "userName": str,
    "accountAlias": str,
    "locationAlias": str,
    "roles[]": str,
    "bearerToken": str,
}
GO_SDK_SERVER = {
    "id": str,
    "name": "{server}",
    "description": str,
    "groupId": str,
    "status": "active",
    "storageType": str,
    "details.ipAddresses[].internal": str,
    "details.cpu": int,
    "details.memoryMB": int,
    "details.storageGB": int,
    "details.inMaintenanceMode": bool,
    "details.partitions[].sizeGB": float,
    "details.disks[].sizeGB": int,
    "changeInfo.createdDate": str,
    "changeInfo.modifiedDate": str,
}


def go_sdk(name: str, *steps: Step) -> Client:
    """A command of what is built on the vendor's Go SDK; it polls every 30 seconds."""
    return Client(name, GO_SDK, steps, GO_SDK_LOGIN, JSON, poll=30)


TERRAFORM = (
    go_sdk(
        "terraform: the provider configures",
        get(
            "/v2/alertPolicies/ACME",
            {
                "items[].id": str,
                "items[].name": str,
                "items[].actions[].action": "email",
                "items[].actions[].settings.recipients[]": str,
                "items[].triggers[].metric": str,
                "items[].triggers[].duration": str,
                "items[].triggers[].threshold": float,
                "links[rel=self].href": str,
            },
        ),
    ),
    go_sdk(
        "terraform: a server is described and put into maintenance",
        get("/v2/servers/ACME/{server}", {**GO_SDK_SERVER, "details.powerState": "started"}),
        Step(
            "PATCH",
            "/v2/servers/ACME/{server}",
            body=[{"op": "set", "member": "description", "value": "by terraform"}],
            status=204,
        ),
        operation("startMaintenance", ["{server}"]),
        WAIT,
        get(
            "/v2/servers/ACME/{server}",
            {**GO_SDK_SERVER, "description": "by terraform", "details.inMaintenanceMode": True},
        ),
    ),
    go_sdk(
        "terraform: an existing group",
        get("/v2/datacenters/ACME/WA1?groupLinks=true", {}, keeps={"root": "links[rel=group].id"}),
        get(
            "/v2/groups/ACME/{root}",
            {"id": "{root}", "name": "WA1 Hardware", "groups[].id": str, "groups[].name": str},
            keeps={"group": "groups[0].id"},
        ),
        get("/v2/groups/ACME/{group}", {"id": "{group}", "name": str, "links[rel=parentGroup].id": "{root}"}),
    ),
    go_sdk(
        "clc-sdk (Go): snapshot, package, archive and restore",
        get("/v2/servers/ACME/{server}/credentials", {"userName": str, "password": str}),
        get("/v2/servers/ACME/{server}", GO_SDK_SERVER, keeps={"group": "groupId"}),
        operation("createSnapshot", {"snapshotExpirationDays": 3, "serverIds": ["{server}"]}),
        WAIT,
        get(
            "/v2/servers/ACME/{server}",
            {"details.snapshots[].name": str},
            keeps={"snapshot": "details.snapshots[0].links[rel=self].href"},
        ),
        Step("POST", "{snapshot}/restore", LINK, keeps=LINKED_JOB),
        WAIT,
        Step("DELETE", "{snapshot}", LINK, keeps=LINKED_JOB),
        WAIT,
        operation(
            "executePackage",
            {"servers": ["{server}"], "package": {"packageId": "77ab3844", "parameters": {"Name": "value"}}},
        ),
        WAIT,
        operation("archive", ["{server}"]),
        WAIT,
        Step(
            "POST",
            "/v2/servers/ACME/{server}/restore",
            LINK,
            {"targetGroupId": "{group}"},
            status=202,
            keeps=LINKED_JOB,
        ),
        WAIT,
        get("/v2/servers/ACME/{server}", {"status": "active", "groupId": "{group}"}),
    ),
    go_sdk(
        "clc-sdk (Go): a group is archived with a text as its body",
        get("/v2/servers/ACME/{server}", GO_SDK_SERVER, keeps={"group": "groupId"}),
        Step("POST", "/v2/groups/ACME/{group}/archive", LINK, "", status=202, keeps=LINKED_JOB),
        WAIT,
        get("/v2/servers/ACME/{server}", {"status": "archived"}),
    ),
)

ANSIBLE = {
    "User-Agent": "python-requests/2.31.0 ClcAnsibleModule/1.1.26",
    "Api-Client": "ClcAnsibleModule/1.1.26",
    "Accept": "*/*",
    "Content-Type": "application/x-www-form-urlencoded",
}
"""The type of a form goes out with every read."""
ANSIBLE_BODY = {"Content-Type": "Application/json"}
ANSIBLE_CENTER = get(
    "/v2/datacenters/ACME/WA1?GroupLinks=true",
    {"name": str, "links[rel=group].id": str, "links[rel=group].name": "WA1 Hardware"},
    keeps={"root": "links[rel=group].id"},
)
ANSIBLE_CHECKS = (
    get("/v2/accounts/ACME", {"primaryDataCenter": "WA1"}),
    ANSIBLE_CENTER,
    get(
        "/v2/datacenters/ACME/WA1/deploymentCapabilities",
        {
            "deployableNetworks[].networkId": str,
            "deployableNetworks[].accountID": str,
            "deployableNetworks[].name": str,
        },
    ),
)
"""What clc_server asks for before it starts or stops anything."""


def ansible_state(before: str, name: str, after: str) -> tuple[Step, ...]:
    """The requests of clc_server for one server that is not in the wanted state yet."""
    reads = {"details.ipAddresses[].internal": str, "id": str, "name": "{server}"}
    return (
        *ANSIBLE_CHECKS,
        get("/v2/servers/ACME/{server}", {**reads, "details.powerState": before}),
        operation(name, ["{server}"]),
        WAIT,
        get("/v2/servers/ACME/{server}", {**reads, "details.powerState": after}),
        ANSIBLE_CENTER,
    )


def ansible(name: str, *steps: Step) -> Client:
    """A module that uses the vendor's Python SDK."""
    return Client(f"ansible: {name}", ANSIBLE, steps, body_headers=ANSIBLE_BODY)


ANSIBLE_MODULES = (
    ansible(
        "clc_server stops and starts",
        *ansible_state("started", "shutDown", "stopped"),
        *ansible_state("stopped", "powerOn", "started"),
    ),
    Client(
        "ansible: clc_server_fact",
        {"User-Agent": "python-requests/2.31.0", "Accept": "*/*"},
        (
            get(
                "/v2/servers/ACME/{server}",
                {"details.memoryMB": int, "details.ipAddresses[0].internal": str},
            ),
            get("/v2/servers/ACME/{server}/credentials", {"userName": str, "password": str}),
        ),
    ),
    ansible(
        "clc_inv.py",
        get("/v2/datacenters/ACME", {"[].id": str, "[].name": str}),
        ANSIBLE_CENTER,
        get(
            "/v2/groups/ACME/{root}",
            {"groups[].name": str, "groups[].type": str, "groups[].links[rel=self].href": str},
        ),
        get(
            "/v2/servers/ACME/{server}",
            {
                "name": "{server}",
                "os": str,
                "locationId": "WA1",
                "details.ipAddresses[0].internal": str,
                "details.customFields": list,
            },
        ),
    ),
)

CLCV2 = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}
CLCV2_LOGIN = {"userName": str, "accountAlias": str, "locationAlias": "WA1", "bearerToken": str}


def clconsole(command: str, *steps: Step) -> Client:
    """A command of the console that is built on clcv2; it polls every second."""
    return Client(f"clconsole {command}", CLCV2, steps, CLCV2_LOGIN, poll=1)


CLCONSOLE = (
    clconsole(
        "ls SERVER",
        get(
            "/v2/servers/ACME/{server}",
            {
                "name": "{server}",
                "status": "active",
                "osType": str,
                "description": str,
                "details.cpu": int,
                "details.memoryMB": int,
                "details.storageGB": int,
                "details.powerState": "started",
                "details.ipAddresses[].internal": str,
                "details.disks[].id": str,
                "details.disks[].partitionPaths": list,
                "details.partitions[].path": str,
                "details.partitions[].sizeGB": float,
                "details.snapshots": list,
                "changeInfo.modifiedBy": str,
                "changeInfo.modifiedDate": str,
            },
            keeps={"group": "groupId"},
        ),
        get("/v2/groups/ACME/{group}", {"id": "{group}", "name": str, "serversCount": int}),
        # Of an active server it lists the credentials; without them it exits 1.
        get("/v2/servers/ACME/{server}/credentials", {"userName": str, "password": str}),
    ),
    clconsole("off --hard SERVER", operation("powerOff", ["{server}"]), WAIT),
    clconsole(
        "snapshot SERVER",
        operation("createSnapshot", {"serverIds": ["{server}"], "snapshotExpirationDays": 10}),
        WAIT,
        get(
            "/v2/servers/ACME/{server}",
            {"details.snapshots[].links[rel=restore].href": str},
            keeps={"delete": "details.snapshots[0].links[rel=delete].href"},
        ),
        Step("DELETE", "{delete}", LINK, keeps=LINKED_JOB),
        WAIT,
        get("/v2/servers/ACME/{server}", {"details.snapshots": []}),
    ),
    clconsole(
        "nets, templates, maintenance by setMaintenance",
        get(
            "/v2-experimental/networks/ACME/WA1",
            {"[].cidr": str, "[].gateway": str, "[].vlan": int, "[].name": str, "[].type": str, "[].id": str},
        ),
        get(
            "/v2/datacenters/ACME/WA1/deploymentCapabilities",
            {"templates[].name": str, "templates[].osType": str, "templates[].storageSizeGB": int},
        ),
        operation("setMaintenance", {"servers": [{"id": "{server}", "inMaintenanceMode": True}]}),
        WAIT,
        get("/v2/servers/ACME/{server}", {"details.inMaintenanceMode": True}),
    ),
)

GO_CLI = {"User-Agent": "clc-go-cli-1.1.4-linux", "CLC-ALIAS": "ACME", **JSON}
GO_CLI_COMMANDS = (
    Client(
        "clc-go-cli: server list",
        GO_CLI,
        (
            get("/v2/datacenters/ACME/wa1?groupLinks=true", {}, keeps={"center": "links[rel=self].href"}),
            get("{center}?groupLinks=true", {}, keeps={"root": "links[rel=group].href"}),
            get(
                "{root}",
                {"serversCount": int, "groups[].serversCount": int, "customFields": list},
                keeps={"templates": "groups[name=Templates].links[rel=server].href"},
            ),
            get(
                "{templates}",
                {
                    "id": str,
                    "name": str,
                    "isTemplate": True,
                    "details.hostName": str,
                    "details.diskCount": int,
                },
            ),
        ),
    ),
    Client(
        "clc-go-cli: maintenance, snapshot, horizontal autoscale",
        GO_CLI,
        (
            operation("startMaintenance", ["{server}"]),
            WAIT,
            operation("createSnapshot", {"SnapshotExpirationDays": 3, "ServerIds": ["{server}"]}),
            WAIT,
            get("/v2/servers/ACME/{server}/cpuAutoscalePolicy", {"links[rel=self].href": str}),
            get("/v2/datacenters/ACME/wa1?groupLinks=true", {}, keeps={"root": "links[rel=group].id"}),
            get("/v2/groups/ACME/{root}/horizontalAutoscalePolicy/", {"": {}}),
            get(
                "/v2/groups/ACME/{root}/billing",
                {"date": str, "groups.{root}.name": "WA1 Hardware", "groups.{root}.servers": dict},
            ),
            get("/v2/groups/ACME/{root}/statistics?type=latest", {"[].stats[].cpuPercent": float}),
        ),
    ),
)

RUBY = {"User-Agent": "Faraday v0.9.2"}
KNIFE = (
    Client(
        "knife-clc: server list, show --ports",
        RUBY,
        (
            get("/v2/datacenters/ACME", {"[].id": str, "[].name": str}),
            get("/v2/datacenters/ACME/wa1?groupLinks=true", {}, keeps={"root": "links[rel=group].id"}),
            get(
                "/v2/groups/ACME/{root}?serverDetail=detailed",
                {"groups[].servers[].name": str, "groups[].servers[].links[rel=self].href": str},
            ),
            get(
                "/v2/servers/ACME/{public}?uuid=false",
                {"links[rel=publicIPAddress].id": str, "details.ipAddresses[].public": str},
                keeps={
                    "address": "links[rel=publicIPAddress].href",
                    "credentials": "links[rel=credentials].href",
                },
            ),
            get("{address}", {"ports[].protocol": "TCP", "ports[].port": int, "sourceRestrictions": list}),
            get("{credentials}", {"userName": str, "password": str}),
        ),
        body_headers=JSON,
    ),
    Client(
        "knife-clc: server power_off --wait",
        RUBY,
        (operation("powerOff", ["{server}"]), WAIT),
        body_headers=JSON,
    ),
)
PUPPET = Client(
    "puppet: instances, pause",
    RUBY,
    (
        get(
            "/v2/datacenters/ACME?groupLinks=true",
            {"[].links[rel=group].id": str},
            keeps={"root": "[-1].links[rel=group].id"},
        ),
        # Its list fails for any archived server, whose memory no list shows.
        get("/v2/groups/ACME/{root}?serverDetail=detailed", {"groups[].servers[].description": str}),
        get("/v2/groups/ACME/{root}", {"name": "WA1 Hardware"}),
        operation("pause", ["{server}"]),
        WAIT,
    ),
    body_headers=JSON,
)

NODE = Client(
    "clc-node-sdk: maintenance of several servers",
    {"User-Agent": "clc-node-sdk-v1.1.4", "Accept": "*/*"},
    (
        get(
            "/v2/datacenters/ACME?groupLinks=true",
            {"[].links[rel=group].id": str},
            keeps={"center": "[-1].id"},
        ),
        get("/v2/servers/ACME/{server}", {"id": str, "groupId": str}),
        operation("startMaintenance", ["{server}", "{other}"]),
        WAIT,
        get("/v2/servers/ACME/{other}", {"details.inMaintenanceMode": True}),
        get("/v2/alertPolicies/ACME/", {"items[].id": str}),
        get("/v2/antiAffinityPolicies/ACME/", {"items[].location": "WA1"}),
        get("/v2/autoscalePolicies/ACME/", {"[].range.max": int, "[].scaleDownWindow.start": str}),
        get("/v2/accounts/ACME/customFields", {"[].isRequired": False, "[].options": list}),
        get("/v2/sharedLoadBalancers/ACME/{center}", {"": []}),
        get("/v2/vmImport/ACME/{center}/available", {"": []}),
    ),
    body_headers=JSON,
    poll=5,
)
JAVA = Client(
    "clc-java-sdk: power on, revert to a snapshot with an empty object",
    {"User-Agent": "clc-java-sdk-v1.2.4", "Accept": "application/json"},
    (
        get("/v2/datacenters/ACME?groupLinks=true", {}, keeps={"root": "[-1].links[rel=group].id"}),
        get(
            "/v2/groups/ACME/{root}?serverDetail=detailed",
            {"groups[].servers[].status": str, "groups[].changeInfo.createdBy": str},
        ),
        operation("powerOn", ["{server}"]),
        WAIT,
        operation("createSnapshot", {"serverIds": ["{server}"], "snapshotExpirationDays": 1}),
        WAIT,
        get(
            "/v2/servers/ACME/{server}",
            {"details.powerState": "started"},
            keeps={"restore": "details.snapshots[0].links[rel=restore].href"},
        ),
        Step("POST", "{restore}", LINK, {}, keeps=LINKED_JOB),
        WAIT,
    ),
    body_headers=JSON,
    poll=0.4,
    target="stopped",
)
FOG = Client(
    "fog-clc: setMaintenance with a bare list is refused",
    {"User-Agent": "fog/1.36.0", **JSON},
    (
        Step(
            "POST",
            "/v2/operations/ACME/servers/setMaintenance",
            {"message": str, "modelState": dict},
            ["{server}"],
            status=400,
        ),
        operation("reset", ["{server}"]),
        WAIT,
    ),
    poll=5,
)

CLIENTS = (*TERRAFORM, *ANSIBLE_MODULES, *CLCONSOLE, *GO_CLI_COMMANDS, *KNIFE, PUPPET, NODE, JAVA, FOG)
