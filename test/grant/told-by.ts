import { Readable } from "node:stream";
import type { Account, AccountCall } from "../../functions/connectors/define-connector.ts";
import type { VendorHttp } from "../../functions/core/vendor-http.ts";

type Teller = (accessToken: string) => Promise<Account>;

const tellers = new Map<string, Teller>();

/** An account call; `accountHttp` answers it with what `teller` returns, or not at all when `teller` throws. */
export function toldBy(teller: Teller): AccountCall {
  const path = `/told-by/${tellers.size}`;
  tellers.set(path, teller);
  return { method: "GET", path, id: "id", name: "name", email: "email" };
}

/** A vendor's API that has only account calls. */
export const accountHttp: VendorHttp = {
  async send({ url, headers }) {
    const teller = tellers.get(new URL(url).pathname);
    if (teller === undefined) throw new Error("no calls to the API here");
    const [, authorization = ""] = headers.find(([name]) => name === "Authorization") ?? [];
    const account = await teller(authorization.replace("Bearer ", ""));
    const body = Readable.from([Buffer.from(JSON.stringify(account))]);
    return { status: 200, headers: {}, rawHeaders: [], body, url };
  },
};
