/** The OAuth client that all these vendors know. */
export interface VendorClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
}

/** What tests need of a vendor's server in addition to HTTP. */
export interface TestVendor {
  readonly origin: string;
  /** Sets the account that signs in from now on; there is no login page. */
  signsIn(account: string): void;
  /** Number of valid refresh tokens of all accounts. */
  living(): number;
  /** Ends all grants of an account, as its user could do at the vendor. */
  revokeAll(account: string): void;
  close(): Promise<void>;
}
