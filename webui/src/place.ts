// Where the user is: the part of the address behind `#`, so that every view can be linked to and the way back works.

export interface Place {
  /** Parts of the path, unescaped. */
  path: string[];
  query: URLSearchParams;
}

export function here(): Place {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query ?? "") };
}

export function link(...path: string[]): string {
  return `#/${path.map(encodeURIComponent).join("/")}`;
}

/** The same place with other parameters; what is empty goes. A search replaces the step before, a page does not. */
export function turn(change: Record<string, string | number>, replace = false): void {
  const { path, query } = here();
  for (const [name, value] of Object.entries(change)) {
    if (value === "") query.delete(name);
    else query.set(name, String(value));
  }
  const rest = query.toString();
  const hash = link(...path) + (rest ? `?${rest}` : "");
  if (replace) {
    history.replaceState(null, "", hash);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = hash;
  }
}
