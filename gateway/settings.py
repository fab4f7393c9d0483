"""Settings: environment ``GATEWAY_*`` and/or a TOML file, read once, passed in. Wrong ones stop the start (GW-301)."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gateway.errors import ConfigurationError

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_MAX_LIMIT = 100_000_000
_MAX_PORT = 65_535
_SCHEMES = {"amqp_url": ("amqp://", "amqps://"), "database_url": ("sqlite:///", "postgresql://")}


class Settings(BaseSettings):
    """Everything that differs between installations. The municipality's own rules are in its file."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True, extra="forbid")

    amqp_url: Annotated[SecretStr | None, Field(description="RabbitMQ, e.g. amqps://user:secret@host:5671/vhost")] = (
        None
    )
    amqp_prefix: Annotated[str, Field(description="put before every exchange and queue name")] = ""
    spool: Annotated[Path | None, Field(description="spool folder, where no RabbitMQ is used; default ./spool")] = None
    database_url: Annotated[
        SecretStr | None,
        Field(description="postgresql://… or sqlite:///FILE; default a SQLite file in the spool folder"),
    ] = None
    municipality: Annotated[Path | None, Field(description="municipality TOML; default the built-in Ishøj file")] = None
    http: Annotated[str, Field(description="host:port of page, health and metrics; empty switches them off")] = (
        "127.0.0.1:8080"
    )
    http_tls_certificate: Annotated[Path | None, Field(description="PEM certificate chain of the page")] = None
    http_tls_key: Annotated[Path | None, Field(description="PEM private key of the page's certificate")] = None
    http_proxy: Annotated[
        str, Field(description="addresses, between commas, of the proxy with TLS in front of the page")
    ] = ""
    amqp_management_url: Annotated[
        SecretStr | None,
        Field(description="RabbitMQ's management API; default http://<host of GATEWAY_AMQP_URL>:15672"),
    ] = None
    team_events_token: Annotated[
        SecretStr | None, Field(description="bearer token of POST /team-events; without one it is closed")
    ] = None
    fhir_token: Annotated[SecretStr | None, Field(description="bearer token of /fhir; without one it is closed")] = None
    metrics_token: Annotated[
        SecretStr | None, Field(description="bearer token of /metrics; needed beyond loopback")
    ] = None
    report_sending: Annotated[
        bool, Field(description="send §119 reports to KL; off, because the record system (Cura) already reports")
    ] = False
    report_url: Annotated[
        str, Field(description="FHIR base of KL's gateway, https://…/fhir; reports go to <it>/Bundle/<id>")
    ] = ""
    report_token_file: Annotated[
        Path | None, Field(description="file with the access token for KL's gateway, kept fresh by its own client")
    ] = None
    report_certificate: Annotated[Path | None, Field(description="PEM system certificate for KL's gateway")] = None
    report_key: Annotated[Path | None, Field(description="PEM private key of the system certificate")] = None
    message_limit: Annotated[int, Field(ge=10_000, le=_MAX_LIMIT, description="largest message in bytes")] = 10_000_000
    sbdh: Annotated[
        bool, Field(description="open EHMI's envelope (SBDH, eDelivery) and answer in it; off: refused and parked")
    ] = False
    batch_size: Annotated[int, Field(ge=1, le=1000, description="messages per commit at most")] = 100
    prefetch: Annotated[int, Field(ge=1, le=2000, description="unacknowledged messages at most")] = 200
    auto_resend: Annotated[
        int, Field(ge=0, le=2, description="times a letter without a receipt is sent again by itself; 0 = never")
    ] = 0
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="log level")] = "INFO"

    @field_validator(
        "amqp_url",
        "amqp_management_url",
        "spool",
        "database_url",
        "municipality",
        "http_tls_certificate",
        "http_tls_key",
        "team_events_token",
        "fhir_token",
        "metrics_token",
        "report_token_file",
        "report_certificate",
        "report_key",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("amqp_url", "database_url")
    @classmethod
    def _scheme(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        begins = _SCHEMES[str(info.field_name)]
        if value is not None and not value.get_secret_value().startswith(begins):
            raise ValueError(f"must begin with {' or '.join(begins)}")
        return value

    @field_validator("amqp_prefix")
    @classmethod
    def _prefix_fits(cls, value: str) -> str:
        if len(value) > 100 or any(c.isspace() for c in value):  # noqa: PLR2004  (AMQP names hold 255 bytes)
            raise ValueError("at most 100 characters, no blanks")
        return value

    @model_validator(mode="after")
    def _one_transport(self) -> "Settings":
        if self.amqp_url is not None and self.spool is not None:
            raise ValueError("set GATEWAY_AMQP_URL or GATEWAY_SPOOL, not both")
        return self

    @model_validator(mode="after")
    def _reporting(self) -> "Settings":
        if (self.report_certificate is None) != (self.report_key is None):
            raise ValueError("set GATEWAY_REPORT_CERTIFICATE and GATEWAY_REPORT_KEY, or neither")
        if self.report_url and not self.report_url.startswith("https://"):
            raise ValueError("GATEWAY_REPORT_URL must begin with https://")
        if self.report_sending and not (self.report_url and self.report_token_file):
            raise ValueError("GATEWAY_REPORT_SENDING needs GATEWAY_REPORT_URL and GATEWAY_REPORT_TOKEN_FILE")
        return self

    @model_validator(mode="after")
    def _reach(self) -> "Settings":
        if (self.http_tls_certificate is None) != (self.http_tls_key is None):
            raise ValueError("set GATEWAY_HTTP_TLS_CERTIFICATE and GATEWAY_HTTP_TLS_KEY, or neither")
        if self.http and self.beyond_loopback and not self.http_tls_certificate and not self.http_proxy:
            raise ValueError(
                "http beyond loopback needs TLS: set GATEWAY_HTTP_TLS_CERTIFICATE and GATEWAY_HTTP_TLS_KEY, "
                "or GATEWAY_HTTP_PROXY where a proxy with TLS stands in front"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Given values first, then the environment, then the TOML file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        host, _, port = self.http.rpartition(":")
        if not host or not port.isdigit() or int(port) > _MAX_PORT:
            raise ValueError("http must be host:port")
        return host.strip("[]"), int(port)

    @property
    def beyond_loopback(self) -> bool:
        """Whether others than this machine can reach the page."""
        return bool(self.http) and self.address[0] not in _LOOPBACK

    @property
    def spool_folder(self) -> Path:
        """The spool folder of the embedded default."""
        return self.spool or Path("spool")

    @property
    def store_url(self) -> str:
        """The database's URL."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        folder = Path() if self.amqp_url is not None else self.spool_folder
        return f"sqlite:///{(folder / 'gateway.sqlite3').absolute()}"

    @property
    def embedded_file(self) -> Path | None:
        """The SQLite file, which one process owns; None for a database server."""
        prefix = "sqlite:///"
        return Path(self.store_url.removeprefix(prefix)) if self.store_url.startswith(prefix) else None


def load_settings(config: Path | None = None, **given: object) -> Settings:
    """Read the settings once.

    Raises:
        ConfigurationError: GW-301; the text names the setting and what is wrong, never its value.
    """

    class WithFile(Settings):
        model_config = SettingsConfigDict(toml_file=config)

    try:
        if config is not None and not config.is_file():
            raise ConfigurationError("GW-301", f"the settings file {config} does not exist")
        return WithFile(**{key: value for key, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(f"{_name(e['loc'])}: {e['msg']}" for e in error.errors(include_input=False))
        raise ConfigurationError("GW-301", problems) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("GW-301", f"the settings file {config} is no TOML in UTF-8: {error}") from error
    except OSError as error:
        raise ConfigurationError("GW-301", f"the settings file {config}: {error.strerror}") from error


def _name(location: tuple[int | str, ...]) -> str:
    return "GATEWAY_" + "_".join(str(part) for part in location).upper() if location else "settings"
