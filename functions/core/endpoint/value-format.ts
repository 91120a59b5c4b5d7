import type { ValueFormat } from "../../connectors/define-connector.ts";
import { isHeaderText } from "../vendor-http.ts";

/** RFC 1123: letters, digits and inner hyphens, at most 63. Anything else could lead to another host. */
const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const MAX_HOST_CHARACTERS = 253;
const MAX_TEXT_CHARACTERS = 500;

/**
 * Formats a value for a URL or a header: lower case in a host, percent-encoded in a path.
 * @returns undefined: the value has a wrong format
 */
export function formatted(format: ValueFormat, value: string): string | undefined {
  if (format === "hostLabel") {
    const label = value.toLowerCase();
    return HOST_LABEL.test(label) ? label : undefined;
  }
  if (format === "pathSegment") {
    const isSegment = isBoundedText(value) && !/^\.{1,2}$/.test(value) && value.isWellFormed();
    return isSegment ? encodeURIComponent(value) : undefined;
  }
  if (format === "text") return isBoundedText(value) && isHeaderText(value) ? value : undefined;
  if ("oneOf" in format) return format.oneOf.includes(value) ? value : undefined;
  const host = hostIn(value);
  if (host === undefined || "listedHost" in format) return host;
  return format.hostBelow.some((each) => isBelow(host, each)) ? host : undefined;
}

/** The text of an error about a value with a wrong format. */
export function describeFormat(format: ValueFormat): string {
  if (format === "hostLabel") return "letters, digits and inner hyphens only, as in a host name";
  if (format === "pathSegment") return `at most ${MAX_TEXT_CHARACTERS} characters, and neither . nor ..`;
  if (format === "text") return `at most ${MAX_TEXT_CHARACTERS} characters that a header can carry`;
  if ("oneOf" in format) return `one of ${format.oneOf.join(", ")}`;
  if ("listedHost" in format) return "a host name";
  return `a host name like ${format.hostBelow.join(" or ")}`;
}

/**
 * Whether the value decides which host gets the grant's tokens. Such a value is stored with the grant that was
 * issued there (core/endpoint/endpoint.ts).
 */
export function decidesHost(format: ValueFormat): boolean {
  return format !== "pathSegment" && format !== "text";
}

/** Whether an entry of a list covers a host: the host itself, or `*.suffix`, which covers all hosts below it. */
export function isBelow(host: string, entry: string): boolean {
  return entry.startsWith("*.") ? host.endsWith(entry.slice(1)) : host === entry;
}

/** The host in a value, as vendors and users write it: a host name, or an https URL with nothing after the host. */
function hostIn(value: string): string | undefined {
  const host = value
    .toLowerCase()
    .replace(/^https:\/\//, "")
    .replace(/\/$/, "");
  const labels = host.split(".");
  const isName = labels.length > 1 && labels.every((label) => HOST_LABEL.test(label));
  // An IP address is not a host name: its last label is a number.
  return isName && host.length <= MAX_HOST_CHARACTERS && !/^\d+$/.test(labels.at(-1) ?? "")
    ? host
    : undefined;
}

function isBoundedText(value: string): boolean {
  return value !== "" && value.length <= MAX_TEXT_CHARACTERS;
}
