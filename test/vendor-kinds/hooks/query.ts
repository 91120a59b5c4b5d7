import type { TokenHooks } from "../../../functions/connectors/token-hooks.ts";

/** Sends every parameter in the query of a GET. */
export const tokenRequest: TokenHooks["tokenRequest"] = (request) => ({ ...request, method: "GET" });
