"""Every case of the coverage list has a sample, and every sample's case is in the list."""

import pytest
from cases import GROUPS, cases, samples_of
from refusals import CLASSES, MODULES, WITHOUT_RULE, refused
from samples import all_samples


@pytest.mark.parametrize("group", GROUPS)
def test_every_case_has_a_sample(group):
    missing = [case for case, found in samples_of(group).items() if not found]
    assert not missing, "; ".join(missing)


def test_the_samples_cases_are_in_the_list():
    known = {case for group in GROUPS for case in cases(group)}
    named = {case.strip() for s in all_samples() for case in s.case.split(";")} - {""}
    assert not named - known


def test_what_is_refused_is_listed_once():
    listed = [f"{module}.{name}" for module in MODULES for names in refused(module).values() for name in names]
    assert sorted(listed) == sorted({*WITHOUT_RULE, *CLASSES})
