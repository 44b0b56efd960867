"""`lambda-matrix doctor`."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import click
import trio

from lambda_matrix.config.settings import Settings
from lambda_matrix.doctor import agents, configuration, files, machine, state, workspaces
from lambda_matrix.doctor.examination import Check, Examined, Findings, examine, look_in_thread
from lambda_matrix.doctor.findings import Skipped, status_of
from lambda_matrix.doctor.homeserver import GROUP as HOMESERVER, examine_homeserver, kept_token
from lambda_matrix.doctor.patient import Patient, read_patient
from lambda_matrix.doctor.report import as_json, as_lines
from lambda_matrix.doctor.unit import STACK, read_unit
from lambda_matrix.options import config_option, examples

_Results = dict[str, tuple[Examined, ...]]
_GROUPS = ("configuration", "files", HOMESERVER, agents.GROUP, machine.GROUP)


@click.command(
    short_help="Check the installation, and say what to do.",
    epilog=examples(
        "lambda-matrix doctor",
        "lambda-matrix doctor | grep -E '^  (fault|warning)'",
        "lambda-matrix doctor --json | jq '.[] | select(.outcome == \"fault\")'",
    ),
)
@config_option
@click.option("--json", "is_json", is_flag=True, help="Print an array of objects, for programs.")
def doctor(file: Path, *, is_json: bool) -> None:
    """Check configuration, files, homeserver, agents and machine, and say for each what to do.

    Nothing is changed, so it may be asked while the service runs, and before it ever ran. Where
    there is no session yet, it logs in as a device of its own and out again. As root it sees what
    the service sees. It takes no longer than a minute.

    Exit status 0: no fault; warnings do not count. 1: a check itself failed. 69: the homeserver or
    an agent is away. 70: the homeserver ended the session. 73: a disk is full. 74: the database is
    damaged. 78: something is set wrong.
    """
    patient, examined = trio.run(_examine_all, file, os.environ)
    told = as_json if is_json else as_lines
    kept = () if patient.settings is None else kept_token(patient.settings)
    click.echo(told(examined, (*patient.secrets(), *kept)))
    sys.exit(status_of([finding for each in examined for finding in each.findings]))


async def _examine_all(
    file: Path, environment: Mapping[str, str]
) -> tuple[Patient, tuple[Examined, ...]]:
    unit, stack = await read_unit(), await read_unit(STACK)
    patient = await trio.to_thread.run_sync(read_patient, file, environment, unit, stack)
    results: _Results = {}
    async with trio.open_nursery() as nursery:
        for group, checks in (
            ("configuration", _configuration(patient)),
            ("files", _files(patient, environment)),
            (agents.GROUP, agents.checks(patient.registry)),
            (machine.GROUP, _machine(patient)),
        ):
            nursery.start_soon(_keep, results, group, partial(examine, group, checks))
        nursery.start_soon(_keep, results, HOMESERVER, partial(_homeserver, patient.settings))
    return patient, tuple(each for group in _GROUPS for each in results[group])


async def _keep(
    results: _Results, group: str, look: Callable[[], Awaitable[tuple[Examined, ...]]]
) -> None:
    results[group] = await look()


def _configuration(patient: Patient) -> tuple[Check, ...]:
    checks = [_thread("settings", partial(configuration.settings, patient))]
    settings = patient.settings
    if settings is None:
        return tuple(checks)
    known = () if patient.registry is None else tuple(patient.registry.agents.values())
    section, user = settings.homeserver, settings.homeserver.user_id
    checks += [
        _thread("names", partial(configuration.names, settings)),
        _thread("access", partial(configuration.access, settings.access, user)),
        _thread("homeserver url", partial(configuration.homeserver_address, section)),
        _thread("agents' urls", partial(configuration.agent_addresses, known)),
        _thread("listening", partial(configuration.listening, settings)),
    ]
    return tuple(checks)


def _files(patient: Patient, environment: Mapping[str, str]) -> tuple[Check, ...]:
    checks = [
        _thread("configuration file", partial(files.configuration_file, patient.file)),
        _thread("secrets", partial(files.secret_files, patient, environment)),
    ]
    settings, unit = patient.settings, patient.unit
    if settings is None:
        return tuple(checks)
    known = () if patient.registry is None else tuple(patient.registry.agents.values())
    directory, identity = settings.state.directory, None if unit is None else unit.identity()
    is_unit = unit is not None and unit.is_there
    checks += [
        _thread("certificates", partial(files.certificates, settings, patient.registry)),
        _thread("picture", partial(files.picture, settings)),
        _thread("state", partial(state.directory, directory, identity, is_unit=is_unit)),
        _thread("lock", partial(state.at_work, directory)),
        _thread("database", partial(state.database, directory)),
        _thread("workspaces", partial(workspaces.workspaces, known, unit, identity)),
    ]
    return tuple(checks)


def _machine(patient: Patient) -> tuple[Check, ...]:
    checks = [_thread("versions", machine.versions), Check("time", machine.time_kept)]
    is_wanted = patient.stack is not None and patient.stack.is_enabled
    checks.append(_thread("unit", partial(machine.unit, patient.unit, is_wanted=is_wanted)))
    settings, registry = patient.settings, patient.registry
    if settings is None:
        return tuple(checks)
    checks.append(_thread("open files", partial(machine.open_files, settings, patient.unit)))
    places = {"[state] directory": settings.state.directory}
    for entry in () if registry is None else registry.agents.values():
        if entry.workspace is not None:
            places[f"workspace of agent {entry.id}:"] = entry.workspace
    checks += [
        _thread(f"disk of {what}", partial(machine.disk, what, path))
        for what, path in places.items()
    ]
    return tuple(checks)


def _thread(name: str, look: Callable[[], Findings]) -> Check:
    return Check(name, look_in_thread(look))


async def _homeserver(settings: Settings | None) -> tuple[Examined, ...]:
    if settings is None:
        told = Skipped("the homeserver is not asked: the settings cannot be used")
        return (Examined(HOMESERVER, "connection", (told,)),)
    return await examine_homeserver(settings)
