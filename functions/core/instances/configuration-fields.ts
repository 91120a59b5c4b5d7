import type { ConfigurationField, Connector } from "../../connectors/define-connector.ts";

/** The fields of an instance's `configuration`: those of the OAuth client, and the connector's own. */
export function configurationFields(connector: Pick<Connector, "configuration">): ConfigurationField[] {
  return [
    {
      key: "oauth.api.key",
      name: "API Key",
      description: "The client id of your app at the vendor; not needed where one is registered",
      required: false,
    },
    {
      key: "oauth.api.secret",
      name: "API Secret",
      description: "The client secret of your app at the vendor; not needed where one is registered",
      required: false,
      secret: true,
    },
    {
      key: "oauth.callback.url",
      name: "Callback URL",
      description: "Where the vendor sends the user back to, exactly as registered there",
      required: false,
    },
    {
      key: "oauth.scope",
      name: "Scope",
      description: "Scopes to ask for in place of the usual ones, separated by blanks",
      required: false,
    },
    ...(connector.configuration ?? []),
  ];
}
