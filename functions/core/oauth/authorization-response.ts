import type { Connector } from "../../connectors/define-connector.ts";
import { InvalidRequest } from "../errors.ts";
import type { ServerMetadata } from "./discover.ts";

/**
 * Checks the issuer of an authorization response (RFC 9207): if the vendor sends `iss`, it must be the issuer
 * to which the user was sent; a vendor that announces `iss` must send it. Protects against mix-up (RFC 9700
 * section 4.4).
 * @param field the caller's name for the parameter
 * @param server issuer data of the vendor's metadata document; absent: the connector's own data count
 * @throws {InvalidRequest} `invalid_issuer`
 */
export function checkIssuer(
  connector: Pick<Connector, "oauth2" | "name">,
  iss: string | undefined,
  field = "iss",
  server?: Pick<ServerMetadata, "issuer" | "issRequired">,
): void {
  const { issuer, issRequired } = server ?? connector.oauth2;
  const missing = iss === undefined && issRequired === true;
  const wrong = iss !== undefined && issuer !== undefined && iss !== issuer;
  if (missing || wrong) {
    throw new InvalidRequest(`the answer does not come from ${connector.name}`, field, "invalid_issuer");
  }
}
