/** The OAuth client that all vendors of the tests know. */
export interface VendorClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
}

/** What tests want of a vendor's server, beside what it does over HTTP. */
export interface TestVendor {
  readonly origin: string;
  /** Who signs in from now on; there is no login page. */
  signsIn(account: string): void;
  /** How many refresh tokens live, of all accounts; the vendor would give an access token for each. */
  living(): number;
  /** Ends all that an account has granted, as its user would at the vendor. */
  revokeAll(account: string): void;
  close(): Promise<void>;
}
