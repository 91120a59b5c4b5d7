import path from "node:path";
import { connectorByKey } from "../functions/connectors/catalogue.ts";
import type { Clock } from "./clock.ts";
import type { DemoConnector } from "./demo/demo-tenant.ts";
import type { PlatformIdentities } from "./identities.ts";
import type { VendorAccounts } from "./vendor-table.ts";
import { startBox } from "./vendors/box/stand-in.ts";
import { startDropbox } from "./vendors/dropbox/stand-in.ts";
import { startGoogleDrive } from "./vendors/googledrive/stand-in.ts";
import { startGraph } from "./vendors/graph/stand-in.ts";
import { startShareFile } from "./vendors/sharefile/stand-in.ts";
import type { StandIn, StandInApp } from "./vendors/stand-in.ts";

/** Each vendor's stand-in, by connector. */
const starters = {
  box: startBox,
  dropbox: startDropbox,
  googledrive: startGoogleDrive,
  onedrivev2: startGraph,
  sharefile: startShareFile,
};

/** Connectors that share the server of another one, because they have the same hosts. */
const sharers: Readonly<Record<string, string>> = { dropboxbusiness: "dropbox" };

/** Connectors that have a stand-in. */
export const standInConnectors: readonly string[] = [...Object.keys(starters), ...Object.keys(sharers)];

/**
 * The app's own callback (the demo page shows the code there), and Linkspan's callback of the hosted flow.
 */
export function callbackUrlsOf(url: string, baseUrl: string): (connector: string) => string[] {
  return (connector) => [`${url}/callback/${connector}`, `${baseUrl}/oauth/callback/${connector}`];
}

/** Starts the stand-ins of the vendors for which no real account is configured. */
export async function startStandIns(
  clock: Clock,
  identities: PlatformIdentities,
  callbackUrls: (connector: string) => string[],
  accounts: VendorAccounts,
  dataFolder: string,
  home: string,
): Promise<Record<string, StandIn>> {
  const started: Record<string, StandIn> = {};
  const appOf = (connector: string): StandInApp => {
    const { accessKeyId, secretAccessKey } = identities.of(`app:${connector}`);
    return {
      clientId: `local-${connector}-${accessKeyId.slice(4, 14).toLowerCase()}`,
      clientSecret: secretAccessKey,
      redirectUris: callbackUrls(connector),
    };
  };
  try {
    for (const [connector, start] of Object.entries(starters)) {
      if (accounts[connector] !== undefined) continue;
      started[connector] = await start({
        clock,
        app: appOf(connector),
        dataFolder: path.join(dataFolder, "vendors", connector),
        home,
      });
    }
    for (const [connector, sharedWith] of Object.entries(sharers)) {
      // Without the other's stand-in, its hosts are the real vendor's.
      const shared = started[sharedWith]?.share?.(connector, appOf(connector));
      if (shared !== undefined && accounts[connector] === undefined) started[connector] = shared;
    }
    return Object.fromEntries(Object.entries(started).sort(([one], [other]) => (one < other ? -1 : 1)));
  } catch (error) {
    // A stand-in fails if its earlier state cannot be read; the stand-ins before it already listen, so they
    // are closed.
    await Promise.allSettled(Object.values(started).map((standIn) => standIn.close()));
    throw error;
  }
}

/** Each connector's app for demo.json: those of the real accounts and those of the stand-ins. */
export function connectorsOf(
  vendors: Readonly<Record<string, StandIn>>,
  accounts: VendorAccounts,
  callbackUrls: (connector: string) => string[],
): Record<string, DemoConnector> {
  const connectors: Record<string, DemoConnector> = {};
  for (const [connector, account] of Object.entries(accounts)) {
    connectors[connector] = {
      clientId: account.clientId,
      clientSecret: account.clientSecret,
      callbackUrls: account.callbackUrls ?? callbackUrls(connector),
      consoleUrl: connectorByKey(connector)?.console ?? "",
    };
  }
  for (const [connector, { app, consoleUrl }] of Object.entries(vendors)) {
    connectors[connector] = {
      clientId: app.clientId,
      clientSecret: app.clientSecret,
      callbackUrls: app.redirectUris,
      consoleUrl,
    };
  }
  return connectors;
}
