"""A GStreamer RTSP server, run by Debian's Python (`gi` is not on PyPI). See tests/gstreamer.py.

Standard input: one JSON line {"mounts": {name: pipeline}, "username": text or null, "password", "method":
"digest" or "basic"}. It answers with {"port"} on standard output and ends when standard input ends.
"""

import json
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402


def make_auth(order):
    method = GstRtsp.RTSPAuthMethod.DIGEST if order["method"] == "digest" else GstRtsp.RTSPAuthMethod.BASIC
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(method)
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    if order["method"] == "digest":
        auth.add_digest(order["username"], order["password"], token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(order["username"], order["password"]), token)
    return auth


def make_factory(pipeline):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(pipeline)
    factory.set_shared(False)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_role("viewer")
    permissions.add_permission_for_role("viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
    permissions.add_permission_for_role("viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
    factory.set_permissions(permissions)
    factory.connect("media-configure", keep_playing)
    return factory


def keep_playing(factory, media):
    """Ask again when the pipeline's change to PLAYING failed (GStreamer 1.22).

    The sink of a media track that the client did not set up can fail to play. When it is asked before the other one,
    the whole pipeline stays paused, although PLAY was answered with 200: two packets come and no more.
    """
    pipeline = media.get_element().get_parent()

    def look():
        result, _, pending = pipeline.get_state(0)
        if result == Gst.StateChangeReturn.FAILURE and pending == Gst.State.PLAYING:
            pipeline.set_state(Gst.State.PLAYING)
        return GLib.SOURCE_CONTINUE

    source = GLib.timeout_add(100, look)
    media.connect("unprepared", lambda _: GLib.source_remove(source))


def main():
    order = json.loads(sys.stdin.readline())
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    if order["username"] is not None:
        server.set_auth(make_auth(order))
    for name, pipeline in order["mounts"].items():
        server.get_mount_points().add_factory(f"/{name}", make_factory(pipeline))
    server.attach(None)
    print(json.dumps({"port": server.get_bound_port()}), flush=True)
    loop = GLib.MainLoop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()


main()
