// A file from the API, saved by the browser: asked for with the session's cookie, refused with a problem like any other call.
import { problemOf, Refused } from "../api/client";
import { identity } from "../identity";

export async function save(path: string, fallback: string): Promise<void> {
  const response = await fetch(path, { credentials: "same-origin", headers: Object.fromEntries(identity.headers()) });
  if (!response.ok) throw new Refused(response.status, await problemOf(response));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = named(response.headers.get("content-disposition")) ?? fallback;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The file name that the answer gives (RFC 6266, the encoded form first). */
function named(disposition: string | null): string | undefined {
  const encoded = disposition?.match(/filename\*=UTF-8''([^;]+)/i)?.[1];
  return encoded ? decodeURIComponent(encoded) : disposition?.match(/filename="?([^";]+)/)?.[1];
}
