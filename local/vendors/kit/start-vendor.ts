import type * as v from "valibot";
import { assembleStandIn } from "../assemble-stand-in.ts";
import type { Grants } from "../authorization/grants.ts";
import { addDemoAccounts } from "../demo-accounts.ts";
import type { Answer } from "../http/answer.ts";
import type { VendorRequest } from "../http/request.ts";
import { type Endpoint, StandInServer } from "../http/stand-in-server.ts";
import { type PageTokens, pageTokens } from "../page-token.ts";
import type { StandIn, StandInOptions, StandInPlaces } from "../stand-in.ts";
import { keepState } from "../state/state-keeper.ts";
import type { TreeRules } from "./account.ts";
import { KitAccounts } from "./accounts.ts";
import { type ApiCall, apiEndpoint, type Problem } from "./calls.ts";
import { grantsOf, rulesOf, type VendorOAuth } from "./oauth.ts";
import { Operations } from "./operations.ts";
import { TokenPages } from "./pages.ts";
import type { SwitchBoard } from "./switches.ts";

/** What a running stand-in gives to its vendor's calls. */
export interface Kit<Own> {
  now(): number;
  /** `http://127.0.0.1:<port>`: links that a person opens, or that go out without the vendor's host, begin with it. */
  readonly origin: string;
  readonly accounts: KitAccounts<Own>;
  readonly grants: Grants;
  readonly pages: TokenPages;
  /** Texts that only this run can make and read: download URLs, upload sessions. */
  readonly tokens: PageTokens;
  readonly operations: Operations;
  readonly switches: SwitchBoard;
}

/** One vendor. Read local/vendors/README.md for the course of making one. */
export interface Vendor<Own> {
  readonly connector: string;
  /** All hosts of the vendor, those of OAuth included. */
  readonly hosts: readonly string[];
  /** Hosts of calls that name none. */
  readonly apiHosts: readonly string[];
  readonly oauth: VendorOAuth;
  readonly tree: TreeRules<Own>;
  /** The vendor's data of an item, for the stored state. */
  readonly detail: v.GenericSchema<unknown, Own>;
  calls(kit: Kit<Own>): readonly ApiCall<Own>[];
  /** Endpoints that need no token. */
  open?(kit: Kit<Own>): readonly Endpoint[];
  /** Absent: only files that another person shares, in no folder of the account. */
  places?(kit: Kit<Own>): StandInPlaces;
  /** The access token of a request; absent: `Authorization: Bearer …`. */
  tokenOf?(request: VendorRequest): string | undefined;
  /** The vendor's answer for each problem that the kit finds. */
  refuse(problem: Problem, request: VendorRequest): Answer;
  /** The vendor's answer of this status, for faults and rate limits. */
  statusAnswer(status: number): Answer;
}

/**
 * Starts a stand-in. `close()` ends it.
 * @throws {Error} the port is in use, or the state of an earlier run cannot be read
 */
export async function startVendor<Own>(vendor: Vendor<Own>, options: StandInOptions): Promise<StandIn> {
  const server = new StandInServer(options.clock);
  const { switches } = server;
  const grants = grantsOf(vendor.oauth, options.clock);
  const accounts = new KitAccounts<Own>(vendor.tree, options.clock, switches);
  const keeper = keepState(options.dataFolder, accounts.keptState(vendor.detail, grants), () =>
    addDemoAccounts(accounts),
  );
  const origin = await server.listen(options.port ?? 0);
  const operations = new Operations(options.clock, switches);
  const tokens = pageTokens();
  const kit: Kit<Own> = {
    now: () => options.clock.now(),
    origin,
    accounts,
    grants,
    pages: new TokenPages(tokens, switches),
    tokens,
    operations,
    switches,
  };
  const places = vendor.places?.(kit);
  return assembleStandIn({
    connector: vendor.connector,
    server,
    options,
    grants,
    rules: rulesOf(vendor.oauth),
    files: accounts,
    ...(places === undefined ? {} : { places }),
    keeper,
    vendor: {
      hosts: vendor.hosts,
      endpoints: [
        ...(vendor.open?.(kit) ?? []),
        apiEndpoint({
          hosts: vendor.apiHosts,
          calls: vendor.calls(kit),
          grants,
          find: (login) => accounts.find(login),
          settle: () => operations.settle(),
          ...(vendor.tokenOf === undefined ? {} : { tokenOf: vendor.tokenOf }),
          refuse: vendor.refuse,
        }),
      ],
      unknown: (request) => vendor.refuse({ kind: "unknown_call" }, request),
      faultAnswer: vendor.statusAnswer,
    },
  });
}
