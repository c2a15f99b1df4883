"""Every broken pack of the corpus is refused, or warned about, with exactly the words that stand beside it."""

import pytest

from service.rulebook import PackError, check, load
from tests.packs.build import Broken, corpus

CORPUS = [pytest.param(broken, id=broken.name) for broken in corpus()]


def test_there_is_one_for_each_of_many_mistakes() -> None:
    assert len(CORPUS) >= 90


@pytest.mark.parametrize("broken", CORPUS)
def test_says_what_is_wrong_where_and_how_to_mend_it(broken: Broken) -> None:
    assert [str(mistake) for mistake in check(broken.files())] == broken.says


@pytest.mark.parametrize("broken", CORPUS)
def test_loads_only_where_nothing_is_an_error(broken: Broken) -> None:
    if any("错误：" in said for said in broken.says):
        with pytest.raises(PackError) as refused:
            load(broken.files())
        assert [str(mistake) for mistake in refused.value.mistakes] == broken.says
        assert str(refused.value).split("\n") == [said for said in broken.says if "错误：" in said]
    else:
        assert load(broken.files()).pack == "tiny"
