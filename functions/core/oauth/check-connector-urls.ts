import type { Connector, ValueFormat } from "../../connectors/define-connector.ts";
import { type EndpointValues, endpointValues, filled } from "../endpoint/endpoint.ts";
import { formatted, isBelow } from "../endpoint/value-format.ts";
import { InvalidRequest } from "../errors.ts";

/**
 * What the URLs of a sign-in need of the configuration and of the callback, checked ahead of any request: a code is not spent
 * in vain.
 * @param told parameters of the callback; absent: it is yet to come
 * @param vendorHosts that the organization allows
 * @throws {InvalidRequest} 400 naming the value that is missing or has not its format
 */
export function checkConnectorUrls(
  connector: Connector,
  configuration: Readonly<Record<string, string>>,
  {
    told,
    vendorHosts = [],
  }: { told?: EndpointValues | undefined; vendorHosts?: readonly string[] | undefined },
): void {
  const { authorizationUrl, tokenUrl } = connector.oauth2;
  const values = endpointValues(connector, configuration, told === undefined ? {} : { extra: told });
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
  filled(connector, authorizationUrl, values);
  const needed = (connector.told ?? []).filter(({ key }) => tokenUrl.includes(`{${key}}`));
  if (told === undefined && needed.length > 0) return;
  for (const { key, format = "hostLabel" } of needed) {
    if (formatted(format, told?.[key] ?? "") !== undefined) continue;
    const field = `providerData.${key}`;
    throw new InvalidRequest(
      `${field} is missing or not right: ${connector.name} gives it to the callback`,
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
