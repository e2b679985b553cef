"""Tests of a group's JSON with its policy as one value."""

from dataclasses import replace

from rotator.container_group import Document
from rotator.container_group.after_redeployment import moved
from rotator.container_group.document import Declaration, once
from tests.container_group.documents import NEW, SINCE, declared, manifest, policy, seen_group


def test_an_absent_group_is_a_document_without_content() -> None:
    made, _ = declared("app")
    gone = replace(seen_group("app", {}), document=None)
    seen = Document.seen(made, gone)
    assert (seen.body, seen.places) == ({}, ()) and seen.id == made.container_groups[0].id
    assert moved(gone, NEW, SINCE).document is not None


def test_only_a_declared_group_has_a_manifest_and_only_where_one_is_said() -> None:
    made, said = declared("app")
    with_file = said.model_copy(update={"manifest": manifest({})})
    files = [Document({}, made, each).file for each in (None, said, with_file)]
    assert files == ["", "", "manifests/nightly.yaml"]


def test_a_declaration_is_the_same_only_under_the_same_policy() -> None:
    one, other = policy({"name": "a"}, {"name": "b"}), policy({"name": "a"})
    a, b = one.container_groups
    kept = Declaration(one, a)
    assert kept == Declaration(one, a) and hash(kept) == hash(Declaration(one, a))
    assert kept not in (Declaration(one, b), Declaration(other, a), "a")


def test_what_follows_from_a_document_is_computed_once() -> None:
    computed = []
    first, second = (Document({}, *declared("app")) for _ in range(2))

    @once
    def derived(document: Document) -> int:
        computed.append(document)
        return len(computed)

    assert [derived(first), derived(first), derived(second)] == [1, 1, 2]
