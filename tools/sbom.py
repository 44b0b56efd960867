"""The bill of materials of a PEX (CycloneDX 1.6): each wheel in it, with its hash and its licence.

The same PEX has the same bill: no random serial number, and no time.
"""

from __future__ import annotations

import hashlib
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from tools.licenses import license_of, parts
from tools.locked import Locked
from tools.pex_contents import Pex, Wheel

OWN = "lambda-matrix"
"""The distribution that is the product itself."""
_licenses = LicenseFactory()


def bill_of_materials(pex: Pex, content: bytes, locked: Locked, own: str) -> str:
    """The bill as JSON. `content` is the PEX's bytes, `own` the hash of the product's own wheel.

    Raises:
      LicenseError: a wheel's licence is unknown.
      ValueError: it is not what the schema demands.
    """
    digest = hashlib.sha256(content).hexdigest()
    hashes = {**locked.hashes, **{each.file: own for each in pex.wheels if each.name == OWN}}
    components = {each.file: _component(each, hashes[each.file]) for each in pex.wheels}
    whole = Component(
        name="lambda-matrix.pex",
        version=next(each.version for each in pex.wheels if each.name == OWN),
        type=ComponentType.APPLICATION,
        bom_ref="lambda-matrix.pex",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        licenses=[_licenses.make_from_string("Apache-2.0")],
    )
    starter = Component(
        name="pex",
        version=pex.pex_version,
        type=ComponentType.LIBRARY,
        bom_ref=f"pex-{pex.pex_version}",
        purl=PackageURL("pypi", name="pex", version=pex.pex_version),
        licenses=[_licenses.make_from_string("Apache-2.0")],
        description="unpacks the file; in .bootstrap",
    )
    bill = Bom(
        serial_number=uuid5(NAMESPACE_URL, f"sha256:{digest}"),
        metadata=BomMetaData(component=whole),
        components=[*components.values(), starter],
    )
    bill.metadata.timestamp = None  # type: ignore[assignment]  # the schema, and the code, want none
    bill.register_dependency(whole, [starter, *_files_of(OWN, pex, components)])
    for wheel in pex.wheels:
        needed = [
            each for name in locked.needs[wheel.name] for each in _files_of(name, pex, components)
        ]
        bill.register_dependency(components[wheel.file], needed)
    told: str = JsonV1Dot6(bill).output_as_string(indent=1) + "\n"
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(told):
        raise ValueError(f"the bill of materials is not what its schema demands: {wrong}")
    return told


def _files_of(name: str, pex: Pex, components: dict[str, Component]) -> list[Component]:
    return [components[each.file] for each in pex.wheels if each.name == name]


def _component(wheel: Wheel, digest: str) -> Component:
    told = PackageURL(
        "pypi", name=wheel.name, version=wheel.version, qualifiers={"file_name": wheel.file}
    )
    return Component(
        name=wheel.name,
        version=wheel.version,
        type=ComponentType.LIBRARY,
        bom_ref=wheel.file,
        purl=told,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        licenses=[_licenses.make_from_string(license_of(wheel))],
        components=[
            Component(
                name=part.name,
                version=part.version,
                type=ComponentType.LIBRARY,
                scope=ComponentScope.REQUIRED,
                bom_ref=f"{wheel.file}#{part.name}@{part.version}",
                purl=PackageURL.from_string(part.purl) if part.purl else None,
                licenses=[_licenses.make_from_string(part.license)] if part.license else [],
            )
            for part in parts(wheel)
        ],
    )
