import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** While the pointer moves, nothing is fetched. */
const SETTLE_MS = 120;

/** A small picture of a moment. */
export function Thumbnail({ camera, at }: { camera: string; at: number }) {
  const source = useSignal<string | null>(null);
  useEffect(() => {
    const query = new URLSearchParams({ at: new Date(at).toISOString() });
    const address = `/api/v1/cameras/${encodeURIComponent(camera)}/recordings/thumbnail.jpg?${query.toString()}`;
    const timer = setTimeout(() => (source.value = address), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [camera, at]);
  return <span class="thumbnail">{source.value && <img src={source.value} alt="" onError={() => (source.value = null)} />}</span>;
}
