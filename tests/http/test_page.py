"""Login first, then the overview and the promises board: counts and clocks, nobody's name."""

import re
from datetime import timedelta

import pytest
from jinja2 import Environment, nodes

from gateway.console.certificate_wording import CHECK_THE_CLOCK, NOTHING_TO_DO, PROBLEMS, RENEWALS
from gateway.console.language import english
from gateway.console.overview import team_for
from gateway.console.page import templates
from gateway.console.site import ERRORS
from gateway.console.wording import WORDINGS, programme_name
from gateway.errors import StoreError
from gateway.inbound.source import Delivery
from gateway.mapping.explanation import wordings
from gateway.municipality.model import load
from gateway.receive import Entrance
from gateway.settings import load_settings
from gateway.simulate.stories import recorded
from gateway.store.accounts import Account, Refused, Right
from tests.builders import event
from tests.http.conftest import Site
from tests.http.test_health import persons


@pytest.fixture
def busy(site: Site) -> Site:
    site.pipeline.handle([Delivery(data=data) for data in recorded().values()])
    return site.log_in()


# ------------------------------------------------------------------ login
@pytest.mark.parametrize("path", ["/", "/board", "/board?team=x", "/account", "/overview/now", "/overview/queues"])
def test_nobody_sees_anything_without_logging_in(site: Site, path: str) -> None:
    answer = site.page(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")


def test_without_accounts_the_login_says_how_to_make_one(site: Site) -> None:
    assert "gateway accounts add" in site.page("/login").text
    site.store.accounts.add("ida", "", frozenset(), site.clock())
    assert "gateway accounts add" not in site.page("/login").text


def test_the_cookie_is_for_this_site_and_no_script(site: Site) -> None:
    password = site.store.accounts.add("ida", "", frozenset(Right), site.clock())
    given = {"name": "ida", "password": password, "next": "//evil.example"}
    answer = site.client.post("/login", data=given, follow_redirects=False)
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    assert password not in cookie


def test_beyond_loopback_the_cookie_is_for_tls_only(site: Site) -> None:
    other = Site(site.store, http="0.0.0.0:443", http_proxy="10.0.0.1")
    password = other.store.accounts.add("bo", "", frozenset(), other.clock())
    answer = other.client.post("/login", data={"name": "bo", "password": password}, follow_redirects=False)
    assert answer.headers["set-cookie"].startswith("__Host-gateway=")
    assert "Secure" in answer.headers["set-cookie"]
    assert other.client.get("/metrics").status_code == 403


def test_a_wrong_password_and_an_unknown_name_are_told_alike(site: Site) -> None:
    site.store.accounts.add("ida", "", frozenset(Right), site.clock())
    told = []
    for name in ("ida", "nobody"):
        answer = site.client.post("/login", data={"name": name, "password": "wrong"})
        assert answer.status_code == 401
        told.append(re.sub(r"kl\. .*", "", answer.text))
    assert told[0] == told[1]
    assert [row.what for row in site.store.audit.latest()] == ["login.failed"]


def test_after_five_wrong_passwords_the_right_one_waits_too(site: Site) -> None:
    accounts, now = site.store.accounts, site.clock()
    password = accounts.add("ida", "", frozenset(Right), now) or ""
    for _ in range(5):
        assert accounts.log_in("ida", "wrong", now) == Refused()
    assert accounts.log_in("ida", password, now) == Refused(until=now + timedelta(seconds=30))
    assert isinstance(accounts.log_in("ida", password, now + timedelta(seconds=31)), Account)
    assert accounts.log_in("ida", "x" * 201, now) == Refused()


def test_a_session_ends_by_disuse_by_age_and_with_its_account(site: Site) -> None:
    store, now = site.store, site.clock()
    store.accounts.add("ida", "", frozenset(Right), now)
    token = store.sessions.open("ida", now)
    assert store.sessions.find(token, now + timedelta(minutes=59)) is not None
    assert store.sessions.find(token, now + timedelta(minutes=118)) is not None
    assert store.sessions.find(token, now + timedelta(minutes=180)) is None
    assert store.sessions.find("unknown", now) is None
    old = store.sessions.open("ida", now)
    for minutes in range(50, 720, 50):
        assert store.sessions.find(old, now + timedelta(minutes=minutes)) is not None
    assert store.sessions.find(old, now + timedelta(minutes=721)) is None
    new = store.sessions.open("ida", now)
    store.accounts.set_enabled("ida", enabled=False)
    assert store.sessions.find(new, now) is None


def _form(site: Site, **given: str) -> dict[str, str]:
    page = site.page("/account").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf
    return {"csrf": csrf[1], "key": "k" * 24} | given


def test_a_change_needs_the_sessions_own_token_and_a_key(site: Site) -> None:
    site.log_in()
    form = _form(site)
    assert site.client.post("/logout", data=form | {"csrf": "other"}).status_code == 403
    assert site.client.post("/logout", data=form | {"key": ""}).status_code == 400
    assert site.client.post("/logout", data=form, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert site.client.post("/logout", content=b"x" * 200_001).status_code == 413
    assert site.client.post("/logout", data=form, follow_redirects=False).headers["location"] == "/login"
    assert site.page("/", follow_redirects=False).status_code == 303


def test_ones_own_password_is_changed_with_the_old_one(site: Site) -> None:
    now = site.clock()
    password = site.store.accounts.add("bo", "", frozenset({Right.METADATA}), now) or ""
    site.client.post("/login", data={"name": "bo", "password": password})
    assert site.client.post("/account", data=_form(site, old=password, new="short")).status_code == 422
    assert site.client.post("/account", data=_form(site, old="wrong", new="a long new one")).status_code == 422
    changed = site.client.post("/account", data=_form(site, old=password, new="a long new one"), follow_redirects=False)
    assert changed.status_code == 303
    assert isinstance(site.store.accounts.log_in("bo", "a long new one", now), Account)


def test_a_right_that_is_missing_is_named(site: Site) -> None:
    answer = site.log_in(rights=frozenset({Right.CONTENT})).page("/board")
    assert answer.status_code == 403
    assert "se tal og tilstande" in answer.text


# ------------------------------------------------------------------ the pages
def test_an_empty_store_has_pages_too(site: Site) -> None:
    site.log_in()
    assert "Der er endnu ingen forløb." in site.page("/").text
    assert "Ingen åbne forløb passer til valget." in site.page("/board").text


def test_the_pages_show_counts_and_clocks_and_nobodys_name(busy: Site) -> None:
    overview, board = busy.page("/").text, busy.page("/board").text
    assert re.search(r'<dt>Parkeret</dt><dd><a href="/parked">3</a><small>', overview)
    assert "åbne forløb" in board
    assert not [name for name in persons() if name in overview + board]


def test_the_board_has_late_ones_first_and_filters(busy: Site) -> None:
    everything = busy.page("/board").text.count('<th scope="row">')
    busy.clock.forward(days=15)
    busy.log_in("bo")
    late = busy.page("/board?late=1").text
    assert "overskredet med" in late
    busy.clock.forward(days=-15)
    team = busy.page("/board?team=genoptraening-ishoej").text.count('<th scope="row">')
    assert 0 < team < everything
    part = busy.client.get("/board?programme=copd", headers={"hx-request": "true", "hx-target": "rows"}).text
    assert "<html" not in part
    assert busy.page("/board?page=x").status_code == 200


def test_the_board_names_teams_as_people_do(busy: Site) -> None:
    board = busy.page("/board").text
    assert re.search(r"<small>[^<]*sundhedskonsulenterne", board)
    assert "· sundhedskonsulenter<" not in board


def test_what_teams_tell_is_no_traffic(busy: Site) -> None:
    def tile() -> str:
        return re.findall(r"<dt>Modtaget i dag</dt><dd>(.*?)</dd>", busy.page("/").text)[0]

    before = tile()
    (case, *_) = (c for c in busy.store.past.cases() if c.decision.outcome == "accepted")
    told = event("contacted", episode_of_care_id=None, case_id=case.case_id, team=case.assignments[0].team)
    assert not busy.pipeline.handle_one(Delivery(data=told, entrance=Entrance.TEAM)).parked
    assert tile() == before


@pytest.mark.parametrize(
    ("programme", "programmes", "teams", "team"),
    [
        ("copd", ("copd", "low_back"), ("sundhedskonsulenter", "genoptraening-ishoej"), "sundhedskonsulenter"),
        ("low_back", ("copd", "low_back"), ("sundhedskonsulenter", "genoptraening-ishoej"), "genoptraening-ishoej"),
        ("low_back", ("copd", "low_back"), ("sundhedskonsulenter", "other"), "other"),
        ("low_back", ("copd", "low_back"), ("sundhedskonsulenter",), "sundhedskonsulenter"),
        ("", (), ("sundhedskonsulenter",), "sundhedskonsulenter"),
        ("", (), (), ""),
    ],
)
def test_a_programme_counts_at_the_team_it_went_to(
    programme: str, programmes: tuple[str, ...], teams: tuple[str, ...], team: str
) -> None:
    assert team_for(programme, programmes, teams, load().routes) == team


def test_english_is_a_switch(busy: Site) -> None:
    busy.page("/language/en?next=/board")
    assert "open cases" in busy.page("/board").text
    busy.page("/language/xx")
    assert "åbne forløb" in busy.page("/board").text


def test_what_is_down_is_said(busy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    busy.down = ["consumer"]
    assert "Svarer ikke: consumer." in busy.page("/").text

    def fail(*_: object) -> None:
        raise StoreError("gone")

    monkeypatch.setattr(busy.store.sessions, "find", fail)
    answer = busy.page("/")
    assert answer.status_code == 503
    assert "Databasen svarer ikke" in answer.text
    assert busy.client.get("/health/live").status_code == 200


def test_a_missing_page_is_a_page_for_people(site: Site) -> None:
    answer = site.page("/no/such")
    assert answer.status_code == 404
    assert "Siden findes ikke" in answer.text


@pytest.mark.parametrize("path", ["/static/gateway.css", "/static/icon.svg", "/static/htmx/htmx.min.js"])
def test_what_the_page_refers_to_is_there(site: Site, path: str) -> None:
    assert path in site.page("/login").text
    assert site.client.get(path).status_code == 200


def _texts(environment: Environment, name: str) -> set[str]:
    source, _, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
    calls = environment.parse(source).find_all(nodes.Call)
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.node, nodes.Name) and call.node.name == "_" and isinstance(call.args[0], nodes.Const)
    }


def test_every_text_of_the_pages_has_its_english() -> None:
    environment = templates()
    told = set().union(*(_texts(environment, name) for name in environment.list_templates()))
    assert len(told) > 40
    programmes = {wording.title for wording in wordings().values() if wording.kind == "programme"}
    told |= programmes | {programme_name("")} | {text for texts in ERRORS.values() for text in texts}
    told |= {text for texts in WORDINGS.values() for text in texts.values()}
    told |= {*RENEWALS.values(), *PROBLEMS.values(), CHECK_THE_CLOCK, NOTHING_TO_DO}
    assert sorted(told - english().keys()) == []


def test_the_service_refuses_beyond_loopback_without_tls() -> None:
    assert load_settings(http="0.0.0.0:8443", http_proxy="10.0.0.1").beyond_loopback
    assert not load_settings(http="").beyond_loopback
