"""Sources that are not RTSP: HLS playlists and clips over HTTP, and files, read in a process of their own."""
