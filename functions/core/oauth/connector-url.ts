import type { Connector } from "../../connectors/define-connector.ts";
import { InvalidRequest } from "../errors.ts";

/** RFC 1123: letters, digits and inner hyphens, at most 63. Anything else could lead to another host. */
const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/**
 * Puts configuration values into a connector's URL: `https://{subdomain}.example.com/token`.
 * @throws {InvalidRequest} 400 naming the value that is missing or is no host label
 */
export function connectorUrl(template: string, configuration: Readonly<Record<string, string>>): string {
  return template.replace(/\{([^{}]+)\}/g, (_, key: string) => {
    const value = configuration[key];
    if (value === undefined || value === "") {
      throw new InvalidRequest(`configuration.${key} is missing`, `configuration.${key}`);
    }
    if (!HOST_LABEL.test(value)) {
      throw new InvalidRequest(
        `configuration.${key} is not right: letters, digits and inner hyphens only, as in a host name`,
        `configuration.${key}`,
      );
    }
    return value.toLowerCase();
  });
}

/** The only host that a request to this URL may reach. */
export function hostsOf(url: string): string[] {
  return [new URL(url).host];
}

/** What the connector's URLs need of the configuration, for a check ahead of any request. */
export function checkConnectorUrls(
  connector: Pick<Connector, "oauth2">,
  configuration: Readonly<Record<string, string>>,
): void {
  connectorUrl(connector.oauth2.authorizationUrl, configuration);
  connectorUrl(connector.oauth2.tokenUrl, configuration);
}
