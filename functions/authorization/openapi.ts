import { readFile } from "node:fs/promises";
import type { Handle } from "../http/contract.ts";
import type { authorizationContracts } from "./contracts.ts";

/**
 * A copy of docs/openapi.json, which `npm run openapi` generates. The build writes the copy next to the
 * bundle.
 */
const FILE = new URL("openapi.json", import.meta.url);

/** GET /openapi.json */
export const getOpenApi: Handle<(typeof authorizationContracts)["openapi.get"]> = async () => ({
  status: 200,
  headers: {
    "Content-Type": "application/json",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "public, max-age=300",
  },
  body: await readFile(FILE),
});
