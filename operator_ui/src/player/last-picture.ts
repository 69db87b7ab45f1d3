/** What a camera showed last on this page, so that its picture need not turn black while a larger one is fetched. */

interface Playing {
  camera: string;
  video: HTMLVideoElement;
}

const playing = new Set<Playing>();

/** `video` shows `camera` from now on. Call what it gives when that is over; the last picture is kept as long as `video` has it. */
export function remember(camera: string, video: HTMLVideoElement): () => void {
  const one = { camera, video };
  playing.add(one);
  return () => playing.delete(one);
}

/** The picture that `camera` shows elsewhere on the page, or showed a moment ago; null where there is none. */
export function pictureOf(camera: string): HTMLCanvasElement | null {
  const videos = [...playing].filter((one) => one.camera === camera && one.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA);
  const video = videos.sort((a, b) => b.video.videoWidth - a.video.videoWidth)[0]?.video;
  if (!video?.videoWidth) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return canvas;
}
