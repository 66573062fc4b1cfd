"""The application: middleware, routers, error pages."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

import migrations
from auth_dependencies import account_context, restoring
from auth_providers import providers_of
from backends.events import open_events
from backends.limits import open_limits
from backends.openid import open_providers
from backends.session_store import open_store
from backends.storage import open_storage
from database import Database
from jobs import Jobs
from known_readers import KnownReaders
from live_watch import Watch
from models import now
from public_watch import PublicWatch
from routers.contents import ROUTERS
from routers.pages import pages_context
from routers.receiving import UPLOADS
from routers.redirects import handle_redirects
from routers.refusals import note_refusals
from routers.relying_parties import passkey_context
from services import audit_sentences, cheat_sheet, editor_words, heads, media, permissions, zones
from services.cards.gallery import Gallery
from services.counting import Counting
from services.logins import device_name
from services.pages import RESERVED, Known
from services.previews import Previews
from services.search.turns import Turns
from services.site import Site, values_of
from services.tag_index import counted
from services.text import grouped
from services.texts import minutes_to_read
from settings import Settings, load_settings
from web.access_log import AccessLog, set_up_logging
from web.addresses import AddressGuard
from web.answers import Ready, nothing_ready
from web.assets import AssetMiddleware, Assets
from web.body_guard import BodyGuard, whole_body
from web.csrf import CrossSiteGuard
from web.error_words import CROSS_SITE, UNKNOWN_HOST
from web.errors import Faults, answering, handle_errors, reason_of
from web.head import HeadAsGet
from web.hosts import HostGuard, Hosts
from web.orphans import stop_with_parent
from web.outside import Application
from web.page_cache import PageCache
from web.proxy import ProxyMiddleware, network_of
from web.security_headers import SecurityHeaders
from web.session_middleware import SessionMiddleware
from web.signing import CookieOptions, Cookies
from web.speech import Speaking
from web.templating import Templates, site_context
from web.uploads import Uploads
from web.visits import Visits

log = logging.getLogger("inkstand")
PUBLIC = Path(__file__).parent / "public"


def create_app(settings: Settings) -> Application:
    """The whole blog for some settings; nothing is opened before it starts."""
    app = Application(
        title=settings.site_name,
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(whole_body)],
    )
    app.state.settings = settings
    app.state.database = Database(settings.database_url, settings.database_connections)
    app.state.database.announces = bool(settings.websub_hub)
    app.state.sessions = open_store(settings.redis_url, app.state.database)
    app.state.limits = open_limits(settings.redis_url, app.state.database)
    app.state.storage = open_storage(settings, app.state.database)
    app.state.uploads = Uploads()
    visits = Visits(RESERVED, lambda: app.state.counting.hurry())
    app.state.counting = Counting(settings, app.state.database, visits.take, network_of)
    app.state.seen = [visits.seen]  # who hears of each request once it is answered
    events = open_events(settings.redis_url)
    app.state.public_watch = PublicWatch(app.state.database, events)
    app.state.watch = Watch(app.state.database, events)
    app.state.previews = Previews()
    app.state.gallery = Gallery()
    app.state.searches = Turns()
    app.state.providers = open_providers(settings)
    app.state.auth_providers = providers_of(settings)
    app.state.jobs = Jobs(settings, app.state.database)
    app.state.database.listeners[media.DELETED] = app.state.storage.delete
    app.state.pages = Known(app.state.database)
    app.state.cookies = Cookies(settings.secrets, cookie_options(settings))
    assets = Assets(PUBLIC)
    providers = {name: each.label for name, each in app.state.providers.items()}
    app.state.site = Site(app.state.database, values_of(settings) | {"providers": providers})
    app.state.public_watch.listeners += [app.state.pages.forget, app.state.site.forget]
    app.state.pages.late = app.state.site.late = app.state.public_watch.advance
    app.state.templates = Templates(reload=not settings.in_production, asset=assets.url)
    app.state.templates.context_processors += [
        site_context,
        account_context,
        passkey_context,
        pages_context,
    ]
    app.state.templates.env.filters |= {
        "device": device_name,
        "counted": counted,
        "minutes_to_read": minutes_to_read,
        "og_locale": heads.locale_of,
        **zones.words(settings.zone),
        "grouped": grouped,
        "role": permissions.role_name,
        "kind_of_event": audit_sentences.kind,
        "details": audit_sentences.details,
    }
    app.state.templates.env.globals |= {
        "cheat_sheet": cheat_sheet.examples,
        "editor_words": editor_words.words,
        "now": now,
    }

    for router in ROUTERS:
        app.include_router(router)
    handle_errors(app)
    handle_redirects(app)
    note_refusals(app)

    # The last one added is the first to see a request.
    app.add_middleware(Faults)
    app.add_middleware(Speaking)
    app.add_middleware(AddressGuard, missing=answering(404))
    app.add_middleware(BodyGuard, too_large=answering(413), uploads=UPLOADS)
    app.add_middleware(
        SessionMiddleware,
        store=app.state.sessions,
        cookies=app.state.cookies,
        idle=settings.session_idle,
        longest=settings.session_max,
        restore=restoring(app),
        unavailable=answering(503),
    )
    app.add_middleware(
        CrossSiteGuard, base_url=settings.base_url, refuse=answering(403, CROSS_SITE)
    )
    app.add_middleware(AssetMiddleware, assets=assets)
    app.add_middleware(HeadAsGet)
    app.add_middleware(HostGuard, hosts=settings.hosts, refuse=answering(400, UNKNOWN_HOST))
    app.add_middleware(
        SecurityHeaders, media_hosts=settings.media_hosts, indexed=settings.allow_indexing
    )
    surround(app, settings)
    return app


def surround(app: Application, settings: Settings) -> None:
    """With what a page from memory passes: the outermost layers, from the inside."""
    layer: ASGIApp = app.inside
    ready: Ready = nothing_ready
    if settings.page_cache_mb:
        cache = PageCache(
            layer,
            watch=app.state.public_watch,
            most_bytes=settings.page_cache_mb * 1024 * 1024,
            are_ours=Hosts(settings.hosts).are_meant,
            cookies=app.state.cookies,
            find_reader=KnownReaders(app, app.state.public_watch, settings.session_idle).find,
            cdn_seconds=settings.cdn_seconds,
        )
        layer, ready = cache, cache.ready
    log = AccessLog(layer, app.state.seen, ready)
    proxy = ProxyMiddleware(log, settings.trusted_proxies, log.ready)
    app.outside, app.ready = proxy, proxy.ready


def cookie_options(settings: Settings) -> CookieOptions:
    return CookieOptions(
        session=settings.session_cookie,
        remember=settings.remember_cookie,
        domain=settings.cookie_domain,
        path=settings.cookie_path,
        secure=settings.cookies_are_secure,
        samesite=settings.cookie_samesite,
    )


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Migrate, and serve even when that must wait: the database may come up after us."""
    stop_with_parent()
    waiting = None
    if await migrate(app.state.database):
        await run_in_threadpool(app.state.site.now)
    else:
        waiting = asyncio.create_task(migrate_when_possible(app.state.database))
    await app.state.watch.open()
    app.state.jobs.start()
    app.state.counting.start()
    yield
    await app.state.watch.close()
    app.state.public_watch.close()
    if waiting:
        waiting.cancel()
    await run_in_threadpool(app.state.jobs.stop)
    await run_in_threadpool(app.state.counting.stop)
    await app.state.sessions.close()
    app.state.limits.close()
    app.state.database.close()


async def migrate_when_possible(database: Database) -> None:
    pause = 0.5
    while not await migrate(database):
        await asyncio.sleep(pause)
        pause = min(pause * 2, 5)


async def migrate(database: Database) -> bool:
    try:
        await run_in_threadpool(migrations.upgrade, database)
    except SQLAlchemyError as error:
        log.warning("the database is not ready: %s", reason_of(error))
        return False
    return True


settings = load_settings()
set_up_logging(settings.in_production)
app = create_app(settings)
