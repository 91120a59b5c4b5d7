import { NotSupported } from "../core/errors.ts";
import type { HttpRequest } from "./request.ts";

/** Names of query parameters and headers (in lower case). */
export interface Choices {
  readonly query?: readonly string[];
  readonly headers?: readonly string[];
}

/**
 * Refuses a call that asks to act at another place, as another person or under other conditions than it would: a call that
 * ignores that deletes or shares the wrong thing. Empty values and `false` ask for nothing.
 * @throws {NotSupported} naming the parameter or header
 */
export function refuseChoices(
  { query, headers }: Pick<HttpRequest, "query" | "headers">,
  choices: Choices,
  connector: string,
): void {
  const sent = [
    ...(choices.query ?? []).flatMap((name) => query.getAll(name).map((value) => ({ name, value }))),
    ...(choices.headers ?? []).map((name) => ({ name, value: headers[name] ?? "" })),
  ];
  const asked = sent.find(({ value }) => !["", "false"].includes(value.trim().toLowerCase()));
  if (asked !== undefined) throw new NotSupported(asked.name, connector, asked.name);
}
