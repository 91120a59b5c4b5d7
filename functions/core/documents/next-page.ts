import { createHash } from "node:crypto";
import { InvalidRequest, LinkspanError } from "../errors.ts";
import type { Instance } from "../instances/instance.ts";
import type { Vault } from "../vault/ports.ts";
import type { Position } from "./list-page.ts";

/** Longest token that can be one of ours. */
const MAX_LENGTH = 6000;

/** The call that a token goes on with: the route and all that decides what its list holds. */
export type ListCall = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Seals positions into `nextPage` tokens: opaque, and of use only to the same instance in the same call. */
export interface NextPageTokens {
  seal(call: ListCall, position: Position): Promise<string>;
  /** @throws {InvalidRequest} garbled, of another instance or another call */
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
      const sealed = await vault.seal(place(call), JSON.stringify([cursor ?? null, skip, part]));
      return Buffer.from(sealed).toString("base64url");
    },
    async open(call, token) {
      if (!/^[\w-]+$/.test(token) || token.length > MAX_LENGTH) throw wrongToken();
      try {
        const sealed = Buffer.from(token, "base64url");
        if (sealed.toString("base64url") !== token) throw wrongToken();
        const text = await vault.open(place(call), sealed);
        const [cursor, skip, part] = JSON.parse(text) as [string | null, number, number];
        return cursor === null ? { skip, part } : { cursor, skip, part };
      } catch (error) {
        // The key service may be down; everything else is the token's fault.
        if (error instanceof LinkspanError && error.status === 503) throw error;
        throw wrongToken();
      }
    },
  };
}

function digest(call: ListCall): string {
  const pairs = Object.entries(call)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(pairs)).digest("base64url");
}

function wrongToken(): InvalidRequest {
  return new InvalidRequest(
    "nextPage is not a token of this list: take it from the header Elements-Next-Page-Token, with the same parameters",
    "nextPage",
  );
}
