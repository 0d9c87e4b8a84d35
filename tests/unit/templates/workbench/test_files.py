"""Which files a path means, and files that nobody should have to read."""

from __future__ import annotations

import shutil

import pytest

from app.kernel.errors import SlipwayError
from app.templates.rules import TemplateRefused
from app.templates.workbench.bench import problems_of, problems_of_component
from app.templates.workbench.files import LIBRARY, Found, NoSuchFile, NothingToCheck, find_files, one_template, text_of

SERVICES = LIBRARY / "msp" / "managed-services"


@pytest.fixture
def services(tmp_path):
    return shutil.copytree(SERVICES, tmp_path / "msp" / "managed-services")


def said(path):
    return [str(problem) for found in find_files(path) for problem in problems_of(found)]


def edited(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


class TestFindFiles:
    def test_takes_every_template_and_component_below_a_folder(self):
        found = find_files(LIBRARY)
        assert {each.kind for each in found} == {"template", "component"}
        assert Found("template", SERVICES / "template.yaml") in found

    @pytest.mark.parametrize("name", ["tests.yaml", "sample.yaml"])
    def test_takes_the_template_beside_its_tests(self, name):
        assert find_files(SERVICES / name) == [Found("template", SERVICES / "template.yaml")]

    def test_knows_an_overlay_and_a_component_by_what_they_say(self):
        assert find_files(SERVICES / "overlays" / "northwind.yaml")[0].kind == "overlay"
        assert find_files(LIBRARY / "components" / "access-review" / "1.0.0.yaml")[0].kind == "component"

    def test_refuses_what_is_not_there_or_holds_nothing(self, tmp_path):
        with pytest.raises(NoSuchFile):
            find_files(tmp_path / "nothing")
        with pytest.raises(NothingToCheck):
            find_files(tmp_path)
        (tmp_path / "some.yaml").write_text("a: b\n")
        with pytest.raises(NothingToCheck, match="no template, overlay or component"):
            find_files(tmp_path / "some.yaml")
        (tmp_path / "tests.yaml").write_text("a: b\n")
        with pytest.raises(NothingToCheck, match="beside no"):
            find_files(tmp_path / "tests.yaml")

    def test_refuses_several_where_one_is_meant(self):
        with pytest.raises(NothingToCheck, match="not one template"):
            one_template(LIBRARY)


class TestTextOf:
    def test_says_where_the_first_byte_is_that_is_no_text(self, tmp_path):
        path = tmp_path / "template.yaml"
        path.write_bytes("a: ü\nb: ".encode() + b"\xff\xfe")
        with pytest.raises(TemplateRefused, match=r"template.yaml:2:4: The file is not UTF-8 text"):
            text_of(path)

    @pytest.mark.parametrize(
        "raw",
        [
            b"\x00" * 100,
            b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
            b"x: y\n" * 1_000_000,
            b"[" * 200_000,
            b"a: &a [x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\nd: [*c, *c, *c]\n",
            b"id: a\nid: b\n",
            b"<<: {a: b}\n",
            b"--- a\n--- b\n",
            b"!!python/object/apply:os.system [ls]",
            b"",
            b"just text",
        ],
    )
    def test_leads_to_problems_and_nothing_else(self, tmp_path, raw):
        path = tmp_path / "template.yaml"
        path.write_bytes(raw)
        assert problems_of(Found("template", path))

    def test_refuses_a_folder_in_a_files_place(self, tmp_path):
        with pytest.raises(SlipwayError):
            text_of(tmp_path)


class TestProblemsOf:
    def test_bring_the_overlays_beside(self, services):
        edited(services / "overlays" / "northwind.yaml", "owner: service_desk_lead", "owner: service_desk_leader")
        [problem] = said(services)
        assert "northwind.yaml" in problem
        assert "Did you mean “service_desk_lead”?" in problem

    def test_bring_the_tests_beside(self, services):
        edited(services / "tests.yaml", "status: finished", "status: running")
        [problem] = said(services / "template.yaml")
        assert "tests.yaml" in problem
        assert "the onboarding is finished, expected running" in problem

    def test_bring_the_sample_beside(self, services):
        edited(services / "sample.yaml", "region: eu", "region: mars")
        assert any("sample.yaml" in problem and "must be one of: eu, us" in problem for problem in said(services))

    def test_of_an_overlay_are_found_upon_its_base(self, services):
        path = services / "overlays" / "northwind.yaml"
        edited(path, "$after: identity", "$after: identitty")
        assert any("Did you mean “identity”?" in problem for problem in said(path))

    def test_of_an_overlay_elsewhere_are_found_upon_the_library(self, services, tmp_path):
        path = tmp_path / "mine.yaml"
        shutil.copy(services / "overlays" / "northwind.yaml", path)
        assert said(path) == []
        edited(path, "id: msp-managed-services", "id: msp-unheard-of")
        assert "The template “msp-unheard-of” was not found." in said(path)[0]

    def test_of_a_component_are_found_without_a_template(self, tmp_path):
        path = tmp_path / "1.0.0.yaml"
        text = (LIBRARY / "components" / "access-review" / "1.0.0.yaml").read_text("utf-8")
        path.write_text(
            text.replace("owner: $decides", "owner: $decide").replace("Access review", "<b>Access"), "utf-8"
        )
        told = [str(problem) for problem in problems_of_component(path)]
        assert any("There is no parameter “decide”. Did you mean “decides”?" in each for each in told)
        assert any("Nothing here takes the parameter “decides”" in each for each in told)
        assert any("is HTML" in each for each in told)
