import type { AuthorizationParties } from "./authorization/authorization-endpoint.ts";
import { AuthorizationEndpoint } from "./authorization/authorization-endpoint.ts";
import type { Grants } from "./authorization/grants.ts";
import { revoke } from "./authorization/revocation-endpoint.ts";
import { TokenEndpoint } from "./authorization/token-endpoint.ts";
import type { AuthorizationRules } from "./authorization/vendor-rules.ts";
import { consoleEndpoints } from "./console-page.ts";
import { bytesContent, generatedContent, textContent } from "./content.ts";
import { controls } from "./controls.ts";
import { formOf, type VendorRequest } from "./http/request.ts";
import type { Endpoint, StandInServer, VendorEndpoints } from "./http/stand-in-server.ts";
import type { StandIn, StandInApp, StandInFault, StandInOptions, StandInPlaces } from "./stand-in.ts";
import type { StateKeeper } from "./state/state-keeper.ts";
import type { VendorFiles } from "./vendor-files.ts";

/** The parts of one vendor's stand-in. */
export interface StandInParts {
  readonly connector: string;
  readonly server: StandInServer;
  readonly options: StandInOptions;
  readonly grants: Grants;
  readonly rules: AuthorizationRules;
  readonly files: VendorFiles;
  /** In place of the files' own. */
  readonly places?: StandInPlaces;
  readonly keeper: StateKeeper;
  readonly lostCursor?: StandInFault;
  /** Called with the app of another connector that shares the server. Absent: the vendor has one connector. */
  shared?(app: StandInApp): void;
  /** The vendor's own endpoints; `assembleStandIn` adds those of the authorization server. */
  readonly vendor: VendorEndpoints;
}

/** Puts authorization server, vendor endpoints, controls and console on a server that already listens. */
export function assembleStandIn(parts: StandInParts): StandIn {
  const { server, options, grants, rules, files, keeper, vendor } = parts;
  const apps = new Map([
    [options.app.clientId, { app: options.app, uris: new Set(options.app.redirectUris) }],
  ]);
  const redirectUrisOf = ({ clientId }: StandInApp): Set<string> => apps.get(clientId)?.uris ?? new Set();
  const parties: AuthorizationParties = {
    rules,
    grants,
    app: (clientId) => apps.get(clientId)?.app,
    redirectUris: (app) => [...redirectUrisOf(app)],
    accounts: () => files.accounts(),
  };
  const changing = (change: () => void): void => {
    try {
      change();
    } finally {
      keeper.changed();
    }
  };
  const standIn: StandIn = {
    connector: parts.connector,
    origin: server.origin,
    hosts: vendor.hosts,
    consoleUrl: `${server.origin}/_console`,
    app: options.app,
    allowRedirect: (uri) => void redirectUrisOf(options.app).add(uri),
    addAccount: (account) => changing(() => files.addAccount(account)),
    get accounts() {
      return files.accounts();
    },
    addFile: (login, path, content) =>
      changing(() =>
        files.addFile(
          login,
          path,
          typeof content === "string" ? textContent(content) : bytesContent(content),
        ),
      ),
    addGeneratedFile: (login, path, size) =>
      changing(() => files.addFile(login, path, generatedContent(size))),
    places: parts.places ?? files.places,
    switches: server.switches,
    ...(parts.lostCursor === undefined ? {} : { lostCursor: parts.lostCursor }),
    entries: (login) => files.entries(login),
    expireAccessTokens: (login) => changing(() => grants.expireAccessTokens(login)),
    revokeGrants: (login) => changing(() => grants.endAll(login)),
    setAccessTokenLifetime(seconds) {
      grants.accessTokenSeconds = seconds;
    },
    fail: (fault) => server.faults.add(fault),
    clearFaults: () => server.faults.clear(),
    releaseHeldBodies: () => server.releaseHeldBodies(),
    requests: () => server.log.all(),
    clearRequests: () => server.log.clear(),
    tokenRequests: (grantType) =>
      server.log.all().filter((each) => each.endpoint === "token" && each.grantType === grantType).length,
    living: (login) => grants.living(login),
    ...(parts.shared === undefined
      ? {}
      : {
          share(connector: string, app: StandInApp): StandIn {
            apps.set(app.clientId, { app, uris: new Set(app.redirectUris) });
            parts.shared?.(app);
            return Object.create(standIn, {
              connector: { value: connector },
              app: { value: app },
              allowRedirect: { value: (uri: string) => void redirectUrisOf(app).add(uri) },
              close: { value: async () => {} },
            });
          },
        }),
    async close() {
      await server.close();
      keeper.close();
    },
  };
  server.attach(
    { ...vendor, endpoints: [...authorizationEndpoints(parties), ...vendor.endpoints] },
    [
      controls(() => standIn),
      consoleEndpoints(
        rules.look,
        () => standIn,
        () => [...redirectUrisOf(options.app)],
        options.home,
      ),
    ],
    () => keeper.changed(),
  );
  return standIn;
}

function authorizationEndpoints(parties: AuthorizationParties): Endpoint[] {
  const { rules } = parties;
  const { revocation } = rules;
  const isOneUrl =
    rules.tokenPath === rules.authorizationPath &&
    rules.tokenHosts.every((host) => rules.authorizationHosts.includes(host));
  const authorization = new AuthorizationEndpoint(parties);
  const token = new TokenEndpoint(parties);
  return [
    {
      hosts: rules.tokenHosts,
      path: rules.tokenPath,
      kind: "token",
      isFor: (request) => !isOneUrl || request.method === "POST",
      async handle(request) {
        const isToken = !isOneUrl || (await formOf(request)).has("grant_type");
        return isToken ? token.handle(request) : authorization.handle(request);
      },
    },
    {
      hosts: rules.authorizationHosts,
      path: rules.authorizationPath,
      kind: "authorization",
      handle: (request) => authorization.handle(request),
    },
    ...(revocation === undefined
      ? []
      : [
          {
            hosts: revocation.hosts,
            path: revocation.path,
            kind: "revocation" as const,
            handle: (request: VendorRequest) => revoke(request, revocation, parties, token),
          },
        ]),
  ];
}
