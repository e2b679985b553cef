"""Deviations of Azure itself from its descriptions, each with its record.

Any other finding is a fault of the emulator.
"""

import re
from dataclasses import dataclass

from descriptions.judge import Finding


@dataclass(frozen=True)
class Deviation:
    """Findings explained by Azure's own behaviour: regular expressions over the operation, the place and the fault."""

    operation: str
    where: str
    what: str
    because: str

    def explains(self, finding: Finding) -> bool:
        """Tell if the deviation explains a finding."""
        pairs = ((self.operation, finding.operation), (self.where, finding.where), (self.what, finding.what))
        return all(re.fullmatch(pattern, text) for pattern, text in pairs)


DEVIATIONS = (
    Deviation(
        r"(GET|PUT|DELETE) .*/roleAssignments(/\{roleAssignmentName\}|@.*)?",
        r"(\.value\[\])?\.properties\.(condition|conditionVersion|createdBy|updatedBy|delegatedManagedIdentityResourceId|description)",
        r".*, is null",
        "Recorded role assignments of api-version 2022-04-01 write null for what isn't set, and createdBy null in the"
        " answer to a PUT.",
    ),
    Deviation(
        r"(GET|PUT) .*/roleDefinitions(/\{roleDefinitionId\}|@.*)?",
        r"(\.value\[\])?\.properties\.(createdBy|updatedBy)",
        r".*, is null",
        "Recorded built-in role definitions were made by nobody: createdBy and updatedBy are null.",
    ),
    Deviation(
        r"GET /(deletedsecrets|secrets|secrets/\{secret-name\}/versions)",
        r"\.nextLink",
        r"type .*, is null",
        "The last page of a recorded list of secrets carries nextLink null.",
    ),
    Deviation(
        r".*",
        r".*\.createdDateTime",
        r"is no property of servicePrincipal",
        "Recorded service principals of v1.0 carry createdDateTime, which the metadata of v1.0 doesn't list.",
    ),
    Deviation(
        r".* /(v2|oauth2|acr)/.*",
        r"\.errors\[\]\.detail",
        r'type "object".*',
        "Recorded challenges have detail null, or a list of what was asked for: [{Type, Name, Action}].",
    ),
    Deviation(
        r"GET /v2/\{name\}/blobs/\{digest\}.*",
        r"body",
        r"is not JSON",
        "Not recorded of ACR: the distribution registry answers 416 with no body to a range that can't be had, and so"
        " does the emulator.",
    ),
    Deviation(
        r"(PUT|PATCH|POST) .*",
        r"request .*",
        r"type .*, is null",
        "Resource Manager takes an explicit null for what isn't set; az and the SDKs send them.",
    ),
    Deviation(
        r"POST .*/checkNameAvailability",
        r"request \.name",
        r"(pattern|minLength|maxLength) .*",
        "Whether a name is valid is what is asked: a bad one is recorded to be answered with 200, nameAvailable false"
        " and reason Invalid.",
    ),
    Deviation(
        r"(GET|PUT|PATCH) .*/registries(/\{registryName\}(/credentialSets(/\{credentialSetName\})?)?|/credentialSets@.*|@.*)?",
        r"(request )?(\.value\[\])?\.identity\.type",
        r"enum .*|is none of these",
        "azure-cli's recorded test of az acr identity checks for systemAssigned and userAssigned in lower camel case,"
        " and az sends that back; recorded credential sets show the same.",
    ),
    Deviation(
        r"DELETE .*/registries/.*",
        r"\.|body",
        r".*is null",
        "A recorded deletion of what a registry has is 202 with null as body.",
    ),
    Deviation(
        r"(PUT|PATCH) .*",
        r"request \.tags\..*",
        r'type "string".*',
        "People send numbers and booleans as tags; Resource Manager takes them as texts.",
    ),
)


def unexplained(findings: list[Finding]) -> list[Finding]:
    """Return the findings to be fixed in the emulator."""
    return [finding for finding in findings if not any(deviation.explains(finding) for deviation in DEVIATIONS)]
