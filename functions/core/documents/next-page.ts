import { createHash } from "node:crypto";
import type { Instance } from "../instances/instance.ts";
import { openPageToken, sealPageToken } from "../vault/page-token.ts";
import type { Vault } from "../vault/ports.ts";
import type { Position } from "./list-page.ts";

/** The call that a token continues: its route and all parameters that determine the list. */
export type ListCall = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Seals positions into `nextPage` tokens: opaque, and valid only for the same instance in the same call. */
export interface NextPageTokens {
  seal(call: ListCall, position: Position): Promise<string>;
  /** @throws {InvalidRequest} damaged, or of another instance or another call */
  open(call: ListCall, token: string): Promise<Position>;
}

export function nextPageTokens(
  vault: Pick<Vault, "seal" | "open">,
  instance: Pick<Instance, "id" | "organizationId">,
): NextPageTokens {
  const place = (call: ListCall) => ({
    organizationId: instance.organizationId,
    item: `instance/${instance.id}`,
    field: "next-page",
    version: digest(call),
  });
  return {
    async seal(call, { cursor, skip, part }) {
      return await sealPageToken(vault, place(call), JSON.stringify([cursor ?? null, skip, part]));
    },
    async open(call, token) {
      const text = await openPageToken(vault, place(call), token);
      const [cursor, skip, part] = JSON.parse(text) as [string | null, number, number];
      return cursor === null ? { skip, part } : { cursor, skip, part };
    },
  };
}

function digest(call: ListCall): string {
  const pairs = Object.entries(call)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(pairs)).digest("base64url");
}
