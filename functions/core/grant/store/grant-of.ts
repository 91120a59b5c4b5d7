import type { Connector } from "../../../connectors/define-connector.ts";
import { fitGrant } from "../../instances/fit-grant.ts";
import type { Grant } from "../../instances/instance.ts";
import type { TokenResponse } from "../../oauth/ports.ts";
import { present } from "../../present.ts";
import type { Timing } from "../timing.ts";
import { expiryOf } from "./due.ts";

/** Values of a new grant that do not come from the token response. */
export interface Won
  extends Pick<Grant, "obtainedBy" | "client" | "refreshToken" | "scope" | "askedScopes" | "extra"> {
  readonly endpoint: Grant["endpoint"];
  /** The earliest store time at which the token request can have been sent. */
  readonly sentAt: number;
}

/**
 * The grant from a token answer, as far as there is room. Values that the vendor left out stay as before or as
 * asked for (RFC 6749 sections 5.1 and 6): `won.refreshToken`, `won.scope`.
 */
export function grantOf(
  { timing }: { readonly timing: Timing },
  connector: Connector,
  response: TokenResponse,
  won: Won,
): Grant {
  const { sentAt, obtainedBy, client, endpoint, askedScopes } = won;
  const extra = won.extra || response.extra ? { ...won.extra, ...response.extra } : undefined;
  return fitGrant(connector, {
    accessToken: response.accessToken,
    tokenType: response.tokenType,
    ...present({
      refreshToken: response.refreshToken ?? won.refreshToken,
      shortLived: response.shortLived,
      scope: response.scope ?? won.scope,
      askedScopes,
    }),
    obtainedAt: sentAt,
    ...expiryOf(connector, response, sentAt, timing),
    obtainedBy,
    client,
    ...present({ endpoint, extra }),
  });
}
