import type { Connector, ValueFormat } from "../../connectors/define-connector.ts";
import { type EndpointValues, endpointValues, filled } from "../endpoint/endpoint.ts";
import { formatted, isBelow } from "../endpoint/value-format.ts";
import { InvalidRequest } from "../errors.ts";
import { present } from "../present.ts";
import type { Discover, ServerMetadata } from "./discover.ts";

/** The values of a vendor's metadata document for a sign-in; empty for a connector with its own URLs. */
export interface SignInEndpoint {
  /** The document's URLs. */
  readonly endpoint?: ServerMetadata["urls"];
  /** The issuer whose callback is expected, for `checkIssuer`. */
  readonly server?: Pick<ServerMetadata, "issuer" | "issRequired">;
}

/**
 * Checks the values of the configuration and of the callback that the sign-in's URLs need, and reads the
 * vendor's metadata document where the connector has one. Runs before any request that uses up the code.
 * @param captured parameters of the callback; absent: the callback has not come yet
 * @param vendorHosts hosts that the organization allows
 * @throws {InvalidRequest} 400, with the field of the value that is missing or has a wrong format
 * @throws as `Discover`
 */
export async function signInEndpoint(
  discover: () => Discover,
  connector: Connector,
  configuration: Readonly<Record<string, string>>,
  {
    captured,
    vendorHosts = [],
  }: { captured?: EndpointValues | undefined; vendorHosts?: readonly string[] | undefined },
): Promise<SignInEndpoint> {
  const configured = endpointValues(connector, configuration, {});
  checkListed(connector, configured, vendorHosts);
  const found =
    connector.oauth2.discovery === undefined
      ? undefined
      : await discover()(connector, configured, vendorHosts);
  const values = endpointValues(
    connector,
    configuration,
    present({ endpoint: found?.urls, extra: captured }),
  );
  checkUrls(connector, values, captured);
  return found === undefined ? {} : { endpoint: found.urls, server: found };
}

/** @throws {InvalidRequest} `host_not_allowed` */
function checkListed(connector: Connector, values: EndpointValues, vendorHosts: readonly string[]): void {
  for (const { key, format } of connector.configuration ?? []) {
    const host = format === undefined ? undefined : listedHost(format, values[key]);
    if (host === undefined || [...host.listed, ...vendorHosts].some((each) => isBelow(host.name, each)))
      continue;
    const field = `configuration.${key}`;
    throw new InvalidRequest(
      `${field} is not right: ${host.name} is on no list; an operator allows it with "organization allow-vendor-host"`,
      field,
      "host_not_allowed",
    );
  }
}

function checkUrls(connector: Connector, values: EndpointValues, captured: EndpointValues | undefined): void {
  const { authorizationUrl, tokenUrl } = connector.oauth2;
  filled(connector, authorizationUrl, values);
  const needed = (connector.captured ?? []).filter(({ key }) => tokenUrl.includes(`{${key}}`));
  if (captured === undefined && needed.length > 0) return;
  for (const { key, format = "hostLabel" } of needed) {
    if (formatted(format, captured?.[key] ?? "") !== undefined) continue;
    const field = `providerData.${key}`;
    throw new InvalidRequest(
      `${field} is missing or not right: ${connector.name} sends it to the callback`,
      field,
    );
  }
  filled(connector, tokenUrl, values);
}

function listedHost(
  format: ValueFormat,
  value: string | undefined,
): { readonly name: string; readonly listed: readonly string[] } | undefined {
  if (typeof format === "string" || !("listedHost" in format) || value === undefined) return undefined;
  const name = formatted(format, value);
  return name === undefined ? undefined : { name, listed: format.listedHost };
}
