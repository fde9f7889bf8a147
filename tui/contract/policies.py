"""The calls that read policies: those of an account, and those that a server has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from msgspec import UNSET

from tui.contract import resource_shapes as shapes
from tui.contract.calls import Answer, Call, Handler, Missing, Route, answer
from tui.contract.readings import AlertPolicy, AntiAffinityPolicy, AutoscalePolicy
from tui.contract.server_entity import policy_entity
from tui.contract.shapes import Link
from tui.contract.views import Policy, ServerView
from tui.contract.wire import link

VERBS = "GET,DELETE,PUT"


async def _alert_policies(call: Call) -> Answer:
    policies = await call.plane.policies(call.alias)
    items = [_alert_policy(call, policy) for policy in policies.alert]
    return answer(200, shapes.AlertPolicies(items=items, links=_own_link(call, "alertPolicies")))


async def _one_alert_policy(call: Call) -> Answer:
    policy = _chosen(call, (await call.plane.policies(call.alias)).alert)
    return answer(200, _alert_policy(call, policy))


def _alert_policy(call: Call, policy: AlertPolicy) -> shapes.AlertPolicy:
    settings = shapes.AlertSettings(recipients=list(policy.recipients))
    here = f"/v2/alertPolicies/{call.alias.lower()}/{policy.id}"
    return shapes.AlertPolicy(
        id=policy.id,
        name=policy.name,
        actions=[shapes.AlertAction(action="email", settings=settings)],
        links=[link("self", here, VERBS, call.user.may_operate)],
        triggers=[
            shapes.AlertTrigger(
                metric=trigger.metric, duration=f"00:{trigger.minutes:02d}:00", threshold=trigger.threshold
            )
            for trigger in policy.triggers
        ],
    )


async def _autoscale_policies(call: Call) -> Answer:
    policies = await call.plane.policies(call.alias)
    return answer(200, [_autoscale_policy(call, policy) for policy in policies.autoscale])


async def _one_autoscale_policy(call: Call) -> Answer:
    policy = _chosen(call, (await call.plane.policies(call.alias)).autoscale)
    return answer(200, _autoscale_policy(call, policy))


def _autoscale_policy(call: Call, policy: AutoscalePolicy) -> shapes.AutoscalePolicy:
    start, end = policy.down_between
    return shapes.AutoscalePolicy(
        id=policy.id,
        name=policy.name,
        resource_type="cpu",
        threshold_period_minutes=policy.minutes,
        scale_up_increment=policy.increment,
        range=shapes.Range(max=policy.most, min=policy.fewest),
        scale_up_threshold=policy.up_above,
        scale_down_threshold=policy.down_below,
        scale_down_window=shapes.Window(start=start, end=end),
        links=[Link(rel="self", href=f"/v2/autoscalePolicies/{call.alias.lower()}/{policy.id}")],
    )


async def _anti_affinity_policies(call: Call) -> Answer:
    policies = await call.plane.policies(call.alias)
    items = [await _anti_affinity_policy(call, policy) for policy in policies.anti_affinity]
    links = _own_link(call, "antiAffinityPolicies")
    return answer(200, shapes.AntiAffinityPolicies(items=items, links=links))


async def _horizontal_autoscale_policies(call: Call) -> Answer:
    """Read a list that is always empty: the control planes of this contract have no such thing."""
    links = _own_link(call, "horizontalAutoscalePolicies")
    return answer(200, shapes.HorizontalAutoscalePolicies(items=[], links=links))


async def _one_anti_affinity_policy(call: Call) -> Answer:
    policy = _chosen(call, (await call.plane.policies(call.alias)).anti_affinity)
    return answer(200, await _anti_affinity_policy(call, policy))


async def _anti_affinity_policy(call: Call, policy: AntiAffinityPolicy) -> shapes.AntiAffinityPolicy:
    account, code = call.alias.lower(), policy.location
    here = f"/v2/antiAffinityPolicies/{account}/{policy.id}"
    links = [link("self", here, VERBS, call.user.may_operate)]
    center = await call.plane.data_center(call.alias, code)
    if center is not None:
        where = f"/v2/datacenters/{account}/{code}"
        links.append(Link(rel="location", href=where, id=code.lower(), name=center.name))
    return shapes.AntiAffinityPolicy(id=policy.id, name=policy.name, location=code, links=links)


def _own_link(call: Call, kind: str) -> list[Link]:
    return [link("self", f"/v2/{kind}/{call.alias.lower()}", "GET,POST", call.user.may_operate)]


P = TypeVar("P", AlertPolicy, AutoscalePolicy, AntiAffinityPolicy)


def _chosen(call: Call, policies: Sequence[P]) -> P:
    """The policy of the path.

    Raises:
        Missing: there is none.
    """
    for policy in policies:
        if policy.id == call.path["id"].lower():
            return policy
    raise Missing


async def _server_alert_policies(call: Call) -> Answer:
    """List the alert policies of a server. The platform's own answer was never recorded."""
    server = await call.server()
    held: Sequence[Policy] = server.hardware.alert_policies if server.hardware else ()
    here = f"/v2/servers/{call.alias.lower()}/{server.id.lower()}/alertPolicies"
    items = [policy_entity(policy, call.alias, "alertPolicies") for policy in held]
    entity = shapes.ServerAlertPolicies(items=items, links=[Link(rel="self", href=here)])
    return answer(200, entity)


async def _server_autoscale_policy(call: Call) -> Answer:
    server = await call.server()
    held = server.hardware.cpu_autoscale if server.hardware else None
    return _mapping(call, server, held, "cpuAutoscalePolicy")


async def _server_anti_affinity_policy(call: Call) -> Answer:
    server = await call.server()
    held = server.hardware.anti_affinity if server.hardware else None
    return _mapping(call, server, held, "antiAffinityPolicy")


def _mapping(call: Call, server: ServerView, policy: Policy | None, kind: str) -> Answer:
    here = f"/v2/servers/{call.alias.lower()}/{server.id.lower()}/{kind}"
    links = [Link(rel="self", href=here)]
    return answer(200, shapes.PolicyMapping(id=policy.id if policy else UNSET, links=links))


def _route(path: str, handler: Handler, summary: str, answers: object) -> Route:
    return Route("GET", path, handler, summary, answers)


SERVER = "/v2/servers/{alias}/{id}"

POLICIES: tuple[Route, ...] = (
    _route("/v2/alertPolicies/{alias}", _alert_policies, "List the alert policies", shapes.AlertPolicies),
    _route("/v2/alertPolicies/{alias}/{id}", _one_alert_policy, "Read an alert policy", shapes.AlertPolicy),
    _route(
        "/v2/autoscalePolicies/{alias}",
        _autoscale_policies,
        "List the vertical autoscale policies",
        list[shapes.AutoscalePolicy],
    ),
    _route(
        "/v2/autoscalePolicies/{alias}/{id}",
        _one_autoscale_policy,
        "Read a vertical autoscale policy",
        shapes.AutoscalePolicy,
    ),
    _route(
        "/v2/antiAffinityPolicies/{alias}",
        _anti_affinity_policies,
        "List the anti-affinity policies",
        shapes.AntiAffinityPolicies,
    ),
    _route(
        "/v2/antiAffinityPolicies/{alias}/{id}",
        _one_anti_affinity_policy,
        "Read an anti-affinity policy",
        shapes.AntiAffinityPolicy,
    ),
    _route(
        "/v2/horizontalAutoscalePolicies/{alias}",
        _horizontal_autoscale_policies,
        "List the horizontal autoscale policies",
        shapes.HorizontalAutoscalePolicies,
    ),
    _route(
        f"{SERVER}/alertPolicies",
        _server_alert_policies,
        "List the alert policies of a server",
        shapes.ServerAlertPolicies,
    ),
    _route(
        f"{SERVER}/cpuAutoscalePolicy",
        _server_autoscale_policy,
        "Read the vertical autoscale policy of a server",
        shapes.PolicyMapping,
    ),
    _route(
        f"{SERVER}/antiAffinityPolicy",
        _server_anti_affinity_policy,
        "Read the anti-affinity policy of a server",
        shapes.PolicyMapping,
    ),
)
