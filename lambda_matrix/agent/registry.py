"""The operator's agents: agents.toml, or one agent from the environment.

Read once, before anything else runs. Everything wrong with it is a `RegistryError` whose text is
one sentence that names the file and the key.
"""

import os
import re
import ssl
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from attrs import Factory, field, frozen

from lambda_matrix.agent.settings_table import RegistryError, Table
from lambda_matrix.agent.trust import trust
from lambda_matrix.conversation.access import is_one_of
from lambda_matrix.credentials import find_credential
from lambda_matrix.ids import AgentId, PlatformChatId
from lambda_matrix.secret import Secret

WEBSOCKET_PATH: Final = "/agent_ws/?thread_id={platform_chat_id}"
_PLACEHOLDER: Final = "{platform_chat_id}"
_WEBSOCKET_SCHEMES: Final = frozenset({"ws", "wss"})
_SCHEMES: Final = _WEBSOCKET_SCHEMES | {"http", "https"}
_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TOKEN: Final = re.compile(r"[!-~]+")  # visible ASCII: what a header can carry as it is
_VISIBLE: Final = re.compile(r"[!-~]*")
_DEFAULT_IDLE_TIMEOUT: Final = 120.0
_DEFAULT_RUN_TIMEOUT: Final = 900.0


def _default_path(entry: "AgentEntry") -> str:
    return WEBSOCKET_PATH if entry.is_websocket else ""


@frozen
class AgentEntry:
    """One agent, as the operator registered it.

    `path` is appended to `base_url` for each run; `{platform_chat_id}` in it becomes the context's
    number. `history` tells who keeps the conversation: the agent, or we send all of it each time.
    `users` are globs of those who may use it (None: all). Timeouts are in seconds.
    """

    id: AgentId
    name: str
    base_url: str
    path: str = Factory(_default_path, takes_self=True)
    workspace: Path | None = None
    history: Literal["agent", "client"] = "agent"
    inline_files: bool = False
    token: Secret | None = field(default=None, repr=False)
    token_file: Path | None = field(default=None, eq=False)
    users: tuple[str, ...] | None = None
    idle_timeout: float = _DEFAULT_IDLE_TIMEOUT
    run_timeout: float = _DEFAULT_RUN_TIMEOUT
    ca_file: Path | None = None

    @property
    def is_websocket(self) -> bool:
        """Whether its runs go over WebSockets; else over HTTP with server-sent events."""
        return urlsplit(self.base_url).scheme in _WEBSOCKET_SCHEMES

    def run_url(self, thread_id: PlatformChatId) -> SplitResult:
        """Say where a run of this context is opened."""
        path = self.path.replace(_PLACEHOLDER, str(thread_id))
        return urlsplit(self.base_url.rstrip("/") + path if path else self.base_url)


@frozen
class Registry:
    """All agents. `warnings` are sentences for the journal, about old names of settings."""

    default: AgentId
    agents: Mapping[AgentId, AgentEntry]
    warnings: tuple[str, ...] = ()

    def get(self, agent: AgentId) -> AgentEntry | None:
        """Find an agent; None if it is (no longer) registered."""
        return self.agents.get(agent)

    def choose(self, user: str) -> AgentId:
        """Return the agent of a user's new chats: the default, else the first that is theirs."""
        theirs = self.agents_for(user)
        return theirs[0].id if theirs else self.default

    def agents_for(self, user: str) -> tuple[AgentEntry, ...]:
        """Give the agents that `user` may use, the default first, then as the file has them."""
        ordered = dict.fromkeys((self.default, *self.agents))
        return tuple(self.agents[agent] for agent in ordered if self.may_use(agent, user))

    def may_use(self, agent: AgentId, user: str) -> bool:
        """Tell whether `user` may use `agent`; nobody may use one that is not registered."""
        entry = self.agents.get(agent)
        if entry is None:
            return False
        return entry.users is None or any(is_one_of(user, glob) for glob in entry.users)


def load_registry(path: Path, environment: Mapping[str, str] = os.environ) -> Registry:
    """Read agents.toml. `environment` is asked for `CREDENTIALS_DIRECTORY` alone.

    Everything that it names (tokens, certificates) is read anew each time: a reload takes it up.

    Raises:
        RegistryError: one sentence that names the file and the key.
    """
    trust.cache_clear()
    try:
        root = Table(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except OSError as error:
        raise RegistryError(f"{path}: cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RegistryError(f"{path}: is not TOML: {error}.") from error
    agents = {
        entry.id: entry
        for name, table in root.tables("agent")
        for entry in (_read_entry(name, table, environment, path),)
    }
    only = next(iter(agents)) if len(agents) == 1 else None
    default = AgentId(root.text("default", only))
    root.finish()
    if default not in agents:
        root.fail("default", f"names agent {default!r}, which is not in the file")
    return Registry(default, MappingProxyType(agents))


def _read_entry(
    name: str, table: Table, environment: Mapping[str, str], path: Path | None
) -> AgentEntry:
    if _ID.fullmatch(name) is None:
        table.fail(None, "an agent's id is made of small letters, digits, '-' and '_'")
    base_url = _base_url(table)
    token_file, key = _token_file(name, table, environment, path)
    entry = AgentEntry(
        id=AgentId(name),
        name=table.text("name", name),
        base_url=base_url,
        path=_path(table, base_url),
        workspace=table.path("workspace"),
        history=table.choice("history", "agent", "client"),
        inline_files=table.flag("inline_files", default=False),
        token=None if token_file is None else _read_token(token_file, key, table),
        token_file=token_file,
        users=table.texts("users"),
        idle_timeout=table.seconds("idle_timeout", _DEFAULT_IDLE_TIMEOUT),
        run_timeout=table.seconds("run_timeout", _DEFAULT_RUN_TIMEOUT),
        ca_file=_ca_file(table, secure=urlsplit(base_url).scheme in {"wss", "https"}),
    )
    table.finish()
    return entry


def _base_url(table: Table) -> str:
    url = table.text("base_url")
    problem = _url_problem(url)
    if problem is None and ("?" in url or "#" in url):
        problem = "must have no query and no fragment: those go into path"
    if problem is not None:
        table.fail("base_url", problem)
    return url


def _url_problem(url: str) -> str | None:
    """Say what is wrong with the address of an agent, not repeating it: it may hold a password."""
    if not _is_whole_url(url):
        return "must be a URL such as ws://127.0.0.1:8000 (ws, wss, http or https)"
    if "@" in urlsplit(url).netloc:
        return "must hold no user and no password: a token goes into token_file"
    return None


def _is_whole_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a port that is no number, a broken IPv6 address
        return False
    whole = parts.scheme in _SCHEMES and bool(parts.hostname) and port != 0
    return whole and _VISIBLE.fullmatch(url) is not None


def _path(table: Table, base_url: str) -> str:
    websocket = urlsplit(base_url).scheme in _WEBSOCKET_SCHEMES
    path = table.text("path", WEBSOCKET_PATH if websocket else "")
    if (path and path[0] not in "/?") or "#" in path or _VISIBLE.fullmatch(path) is None:
        table.fail("path", "must begin with '/' or '?' and hold no spaces and no fragment")
    if "{" in path.replace(_PLACEHOLDER, ""):
        table.fail("path", f"knows one placeholder only, {_PLACEHOLDER}")
    return path


def _token_file(
    name: str, table: Table, environment: Mapping[str, str], path: Path | None
) -> tuple[Path | None, str]:
    """Return the file with the token, if there is one, and what has named it."""
    file, key = table.path("token_file"), "token_file"
    if file is None:
        file = find_credential(f"agent-{name}-token", environment, path)
        key = f"credential agent-{name}-token"
    return file, key


def _read_token(file: Path, key: str, table: Table) -> Secret:
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError as error:
        table.fail(key, f"{file} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        text = ""
    if _TOKEN.fullmatch(text) is None:
        table.fail(key, f"{file} must hold one line of visible ASCII, the token")
    return Secret(text)


def _ca_file(table: Table, *, secure: bool) -> Path | None:
    file = table.path("ca_file")
    if file is not None or secure:
        try:
            trust(file)  # and kept, so that the first run need not read the system's store
        except ssl.SSLError:
            table.fail("ca_file", f"{file} holds no certificates in PEM form")
        except OSError as error:
            table.fail("ca_file", f"{file} cannot be read: {error.strerror}")
    return file


def registry_from_environment(environment: Mapping[str, str]) -> Registry | None:
    """Make the registry of a deployment without agents.toml; None if it names no agent.

    `AGENT_BASE_URL` makes the one agent `main`. `AGENT_WS_URL`, a whole WebSocket URL, does so for
    old deployments, with a warning. The token comes from `AGENT_TOKEN_FILE` or the systemd
    credential `agent-main-token`.

    Raises:
        RegistryError: one sentence that names the variable.
    """
    keys: dict[str, object] = {"name": "Lambda"}
    warnings: tuple[str, ...] = ()
    if base_url := environment.get("AGENT_BASE_URL"):
        keys["base_url"] = base_url
    elif whole_url := environment.get("AGENT_WS_URL"):
        keys |= _split_whole_url(whole_url)
        warnings = ("AGENT_WS_URL is an old name: set AGENT_BASE_URL instead.",)
    else:
        return None
    if token_file := environment.get("AGENT_TOKEN_FILE"):
        keys["token_file"] = token_file
    table = Table(
        keys, "environment", _VARIABLES | ({"base_url": "AGENT_WS_URL"} if warnings else {})
    )
    main = _read_entry("main", table, environment, None)
    return Registry(main.id, MappingProxyType({main.id: main}), warnings)


_VARIABLES: Final = {"base_url": "AGENT_BASE_URL", "token_file": "AGENT_TOKEN_FILE"}


def _split_whole_url(url: str) -> dict[str, str]:
    problem = _url_problem(url)
    if problem is not None or urlsplit(url).scheme not in _WEBSOCKET_SCHEMES:
        raise RegistryError(f"environment: AGENT_WS_URL: {problem or 'must be a WebSocket URL'}.")
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return {"base_url": f"{parts.scheme}://{parts.netloc}", "path": (parts.path or "/") + query}
