"""The calls that read what belongs to a data center: capabilities, limits, networks."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from tui.contract import resource_shapes as shapes
from tui.contract.calls import Answer, Call, Handler, Missing, Route, answer, in_pieces
from tui.contract.entities import servers_under
from tui.contract.protocol import Network
from tui.contract.readings import Template
from tui.contract.shapes import Link
from tui.contract.wire import link, number

RESERVED_BY_WINDOWS = "a b c d"
RESERVED_BY_LINUX = (
    "bin boot build cdrom compat dist dev entropy etc home initrd.img lib lib64 libexec lost+found media mnt "
    "opt proc root sbin selinux srv sys tmp usr var vmlinuz"
)
"""The recorded paths at which no disk can be mounted."""


async def _deployment_capabilities(call: Call) -> Answer:
    """Read what a data center offers: templates, networks, kinds of storage and of servers."""
    code = (await call.data_center()).code
    offered = await call.plane.capabilities(call.alias, code)
    networks = await call.plane.networks(call.alias, code)
    entity = shapes.DeploymentCapabilities(
        data_center_enabled=True,
        import_vm_enabled=offered.imports,
        supports_premium_storage=offered.premium_storage,
        supports_shared_load_balancer=offered.load_balancers,
        supports_bare_metal_servers=offered.bare_metal,
        deployable_networks=[
            shapes.DeployableNetwork(
                name=_network_name(network), network_id=network.id, type="private", account_id=call.alias
            )
            for network in networks
        ],
        templates=[_template(template) for template in offered.templates],
        importable_os_types=[],
    )
    return answer(200, entity)


def _template(template: Template) -> shapes.Template:
    return shapes.Template(
        name=template.name,
        os_type=template.os,
        description=template.description,
        storage_size_gb=template.storage_gb,
        capabilities=list(template.capabilities),
        reserved_drive_paths=reserved_paths(windows=template.windows),
        drive_path_length=1 if template.windows else UNSET,
    )


def reserved_paths(*, windows: bool) -> list[str]:
    """The paths at which an operating system lets no disk be mounted."""
    return (RESERVED_BY_WINDOWS if windows else RESERVED_BY_LINUX).split()


async def _compute_limits(call: Call) -> Answer:
    offered = await call.plane.capabilities(call.alias, (await call.data_center()).code)
    limits = shapes.ComputeLimits(
        cpu=number(offered.cpu),
        memory_gb=number(offered.memory_gb),
        storage_gb=number(offered.storage_gb),
    )
    return answer(200, limits)


async def _network_limits(call: Call) -> Answer:
    offered = await call.plane.capabilities(call.alias, (await call.data_center()).code)
    return answer(200, shapes.NetworkLimits(networks=number(offered.networks)))


async def _nothing(call: Call) -> Answer:
    """Read a list that is always empty: the control planes of this contract have no such thing."""
    await call.data_center()
    return answer(200, [])


async def _networks(call: Call) -> Answer:
    code = (await call.data_center()).code
    networks = await call.plane.networks(call.alias, code)
    return answer(200, [_network_entity(call, network, UNSET) for network in networks])


async def _network(call: Call) -> Answer:
    """Read a network; the query `ipAddresses` lists addresses too: claimed, free or all."""
    network = await _network_of(call)
    kind = call.query.get("ipaddresses", "none").lower()
    addresses = UNSET if kind == "none" else await _addresses(call, network, kind)
    return answer(200, _network_entity(call, network, addresses))


async def _ip_addresses(call: Call) -> Answer:
    """List the addresses of a network; the query `type` is claimed (without one), free or all."""
    network = await _network_of(call)
    return answer(200, await _addresses(call, network, call.query.get("type", "claimed").lower()))


async def _network_of(call: Call) -> Network:
    code = (await call.data_center()).code
    wanted = call.path["network"].lower()
    for network in await call.plane.networks(call.alias, code):
        if network.id == wanted:
            return network
    raise Missing


async def _addresses(call: Call, network: Network, kind: str) -> list[shapes.NetworkAddress]:
    """The addresses of a network that are claimed, free, or both for any other kind."""
    root = (await call.data_center()).root
    claimed = {
        address.internal: server.id
        async for some in in_pieces(servers_under(root))
        for server in some
        if server.hardware is not None
        for address in server.hardware.addresses
        if address.internal.startswith(f"{network.prefix}.")
    }
    addresses = [f"{network.prefix}.{host}" for host in range(2, 255)]
    return [
        shapes.NetworkAddress(
            address=address,
            claimed=address in claimed,
            primary=address in claimed,
            server=claimed.get(address, UNSET),
            type="private",
        )
        for address in addresses
        if kind not in ("claimed", "free") or (address in claimed) == (kind == "claimed")
    ]


def _network_entity(
    call: Call, network: Network, addresses: list[shapes.NetworkAddress] | UnsetType
) -> shapes.Network:
    writable = call.user.may_operate
    code = call.path["datacenter"].lower()
    here = f"/v2-experimental/networks/{call.alias.lower()}/{code}/{network.id}"
    links = [link("self", here, "GET,PUT", writable), link("ipAddresses", f"{here}/ipAddresses", "GET", True)]
    if writable:
        links.append(Link(rel="release", href=f"{here}/release", verbs=["POST"]))
    name = _network_name(network)
    return shapes.Network(
        id=network.id,
        cidr=f"{network.prefix}.0/24",
        description=name,
        gateway=f"{network.prefix}.1",
        name=name,
        netmask="255.255.255.0",
        type="private",
        vlan=network.vlan,
        ip_addresses=addresses,
        links=links,
    )


def _network_name(network: Network) -> str:
    return f"vlan_{network.vlan}_{network.prefix}"


def _route(path: str, handler: Handler, summary: str, answers: object, *query: str) -> Route:
    return Route("GET", path, handler, summary, answers, query=query)


CENTER = "/v2/datacenters/{alias}/{datacenter}"
NETWORKS = "/v2-experimental/networks/{alias}/{datacenter}"

CENTER_RESOURCES: tuple[Route, ...] = (
    _route(
        f"{CENTER}/deploymentCapabilities",
        _deployment_capabilities,
        "Read what a data center offers",
        shapes.DeploymentCapabilities,
    ),
    _route(f"{CENTER}/computeLimits", _compute_limits, "Read the limits of servers", shapes.ComputeLimits),
    _route(f"{CENTER}/networkLimits", _network_limits, "Read the limits of networks", shapes.NetworkLimits),
    _route(
        "/v2/sharedLoadBalancers/{alias}/{datacenter}", _nothing, "List the load balancers", shapes.Nothing
    ),
    _route(
        "/v2/vmImport/{alias}/{datacenter}/available", _nothing, "List what can be imported", shapes.Nothing
    ),
    _route(NETWORKS, _networks, "List the networks", list[shapes.Network]),
    _route(f"{NETWORKS}/{{network}}", _network, "Read a network", shapes.Network, "ipAddresses"),
    _route(
        f"{NETWORKS}/{{network}}/ipAddresses",
        _ip_addresses,
        "List the addresses of a network",
        list[shapes.NetworkAddress],
        "type",
    ),
)
