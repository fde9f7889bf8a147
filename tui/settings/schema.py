"""Every setting, with its type, bounds, default and description.

The descriptions are those of ``pitstop help settings``; there is no second list.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one endpoint: a table ``[profiles.NAME]`` of the configuration file."""

    url: Annotated[str, Meta(description="Where the endpoint is, with or without /v2. Required.")] = ""
    user: Annotated[str, Meta(description="Who logs in.")] = ""
    account: Annotated[
        str, Meta(description="The account alias to work on; the user's own where it is empty.")
    ] = ""
    password_command: Annotated[
        str, Meta(description="A command whose first line of output is the password. Run without a shell.")
    ] = ""
    allow_http: Annotated[
        bool, Meta(description="Allow plain http to a host other than this one: passwords can be overheard.")
    ] = False
    readonly: Annotated[bool, Meta(description="Offer nothing that changes a server on this endpoint.")] = (
        False
    )
    protected: Annotated[
        str,
        Meta(
            description='A filter, as "group:*/Prod*". An operation on a server that it matches is confirmed '
            "by typing how many, however few there are; without a question it needs --protected."
        ),
    ] = ""
    requests_per_second: Annotated[
        float,
        Meta(
            gt=0,
            le=1000,
            description="What all requests of a user to this endpoint together keep to.",
        ),
    ] = 20.0
    burst: Annotated[
        int, Meta(ge=1, le=1000, description="How many requests may follow at once after a quiet time.")
    ] = 40


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, as they are in force."""

    profile: Annotated[
        str, Meta(description="The profile used when none is named; the only one where there is only one.")
    ] = ""
    readonly: Annotated[bool, Meta(description="Offer nothing that changes a server, on any endpoint.")] = (
        False
    )
    batch_size: Annotated[int, Meta(ge=1, le=1000, description="Servers in one request, at most.")] = 100
    confirm_above: Annotated[
        int, Meta(ge=0, description="Operations on more servers than this are confirmed by typing how many.")
    ] = 50
    verify_limit: Annotated[
        float,
        Meta(ge=0, le=86400, description="Seconds that a server may take to show what its job did to it."),
    ] = 300.0
    columns: Annotated[
        list[str],
        Meta(description="Columns of the list, each NAME or NAME:WIDTH; the usual ones where empty."),
    ] = msgspec.field(default_factory=list)
    sort: Annotated[str, Meta(description="The column the list is sorted by; -NAME for the other way.")] = (
        "id"
    )
    filters: Annotated[
        dict[str, str],
        Meta(description="Filters by name, used as @NAME; an empty one takes an earlier source's away."),
    ] = msgspec.field(default_factory=dict)
    history: Annotated[
        list[str], Meta(description="Filters typed before, the newest last; the console keeps them itself.")
    ] = msgspec.field(default_factory=list)
    refresh_interval: Annotated[
        int, Meta(ge=0, le=86400, description="Seconds between readings of the list by itself; 0 is never.")
    ] = 0
    mouse: Annotated[
        bool, Meta(description="Use the mouse; without it the terminal's own selection works as usual.")
    ] = True
    lock_after: Annotated[
        int,
        Meta(ge=0, le=1440, description="Minutes without a key before the console is locked; 0 is never."),
    ] = 0
    on_hangup: Annotated[
        Literal["finish", "pause"],
        Meta(description="When the terminal goes: finish follows what was sent, pause leaves it for resume."),
    ] = "finish"
    keys: Annotated[
        dict[str, str], Meta(description="Other keys for commands: the command's name and its keys.")
    ] = msgspec.field(default_factory=dict)
    profiles: Annotated[dict[str, Profile], Meta(description="Endpoints by name.")] = msgspec.field(
        default_factory=dict
    )


VARIABLES: Mapping[str, str] = {
    "PITSTOP_API_URL": "the endpoint, by its URL",
    "PITSTOP_ACCOUNT": "the account to work on instead of the user's own",
    "PITSTOP_USERNAME": "who logs in; CLC_USER, the vendor's own variable, where it is not set",
    "PITSTOP_PASSWORD": "the password; CLC_PASSWORD where it is not set",
    "PITSTOP_HOME": "one directory for all files",
    "PITSTOP_LOG": "what the log holds: error, warning (the default), info, or debug with every request",
    "XDG_CONFIG_HOME": "the directory that holds pitstop/config.toml",
    "XDG_STATE_HOME": "the directory that holds pitstop/ with the journal and the log",
    "HTTPS_PROXY": "a proxy for https; HTTP_PROXY and ALL_PROXY likewise",
    "NO_PROXY": "hosts that are reached without the proxy",
    "SSL_CERT_FILE": "certificate authorities to trust instead of the system's; SSL_CERT_DIR for a directory",
    "NO_COLOR": "no colours, if it is not empty",
}
"""Environment variables that belong to no setting, and what each is for."""

SAVED = frozenset({"columns", "sort", "filters", "history", "refresh_interval"})
"""Names of the settings that can be chosen in the program, which saves them in a file of its own."""


class SettingInfo(NamedTuple):
    """A setting as the schema describes it."""

    name: str
    type: Any
    default: Any
    description: str

    @property
    def kind(self) -> str:
        """The type in words, e.g. "whole number"."""
        return _kind(self.type)

    @property
    def simple(self) -> bool:
        """Whether an environment variable can set it."""
        return get_origin(_bare(self.type)) in {None, Literal}


def setting_infos(struct: type[msgspec.Struct]) -> Iterator[SettingInfo]:
    """Describe the settings of ``Settings`` or ``Profile``, in the order of their definition."""
    hints = get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        description = next(meta.description for meta in get_args(hint)[1:] if isinstance(meta, Meta))
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        yield SettingInfo(field.name, hint, default, description or "")


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _kind(hint: Any) -> str:
    hint = _bare(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(f'"{value}"' for value in arguments)
    if origin is list:
        return "list of texts"
    if origin is dict:
        return "table of tables" if arguments[1] is Profile else "table of texts"
    return {str: "text", bool: "true or false", int: "whole number", float: "number"}[hint]
