/** One part of a multipart body; header names in lower case. */
export interface Part {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * The parts of a multipart body of any kind (`related`, `mixed`, `form-data`): RFC 2046 section 5.1.1. The
 * line break before a delimiter belongs to the delimiter. Empty if the body does not fit its content type.
 */
export function partsOf(contentType: string | undefined, body: Buffer): Part[] {
  const named = /^multipart\/(?:related|mixed|form-data);.*boundary=(?:"([^"]+)"|([^\s;]+))/is.exec(
    contentType ?? "",
  );
  if (named === null) return [];
  const delimiter = Buffer.from(`--${named[1] ?? named[2] ?? ""}`);
  const parts: Part[] = [];
  let start = body.indexOf(delimiter);
  while (start >= 0) {
    const from = start + delimiter.length;
    if (body.subarray(from, from + 2).toString() === "--") return parts;
    const end = body.indexOf(Buffer.concat([Buffer.from("\r\n"), delimiter]), from);
    if (end < 0) return [];
    const part = body.subarray(body.indexOf("\n", from) + 1, end);
    const gap = part.indexOf("\r\n\r\n");
    if (gap < 0) return [];
    parts.push({ headers: headersOf(part.subarray(0, gap).toString("utf8")), body: part.subarray(gap + 4) });
    start = end + 2;
  }
  return [];
}

/** The parts of a form by their names, with the file name if there is one: RFC 7578 section 4.2. */
export function formPartsOf(
  contentType: string | undefined,
  body: Buffer,
): { readonly name: string; readonly fileName?: string; readonly body: Buffer }[] {
  return partsOf(contentType, body).map((part) => {
    const disposition = part.headers["content-disposition"] ?? "";
    const name = /[; ]name="([^"]*)"/i.exec(disposition)?.[1] ?? "";
    const fileName = /[; ]filename="([^"]*)"/i.exec(disposition)?.[1];
    return { name, body: part.body, ...(fileName === undefined ? {} : { fileName }) };
  });
}

function headersOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split("\r\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}
