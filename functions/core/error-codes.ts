interface Meaning {
  /** HTTP statuses of answers with this code; `4xx`: the vendor's own. */
  readonly status: readonly (number | "4xx")[];
  readonly meaning: string;
}

/** Every `code` of an error answer. A code is never renamed: callers switch on it. */
export const errorCodes = {
  account_unknown: {
    status: [409, 502],
    meaning: "The account of the sign-in is unknown: claim again with acceptUnknownAccount, or sign in again",
  },
  api_not_enabled: {
    status: [403],
    meaning: "The vendor's API is not enabled for the OAuth app: enable it at the vendor's console",
  },
  already_claimed: { status: [409], meaning: "The session has been claimed" },
  another_account: {
    status: [409],
    meaning: "The user signed in to another account than before: acceptOtherAccount accepts it",
  },
  being_deleted: { status: [409], meaning: "The organization is being deleted" },
  application_url_not_allowed: {
    status: [400],
    meaning: "The app's URL is not on the OAuth proxy's list",
  },
  body_too_large: { status: [413], meaning: "The body is larger than any that this API needs" },
  changed: { status: [409], meaning: "It was changed by somebody else meanwhile: try again" },
  claim_refused: { status: [409], meaning: "The session was claimed for another end user, and has ended" },
  code_used: {
    status: [400],
    meaning: "The code has made an instance already; detail.instanceId names it where it is yours",
  },
  conflict: { status: [409], meaning: "It exists already, or another item is in its place" },
  copy_incomplete: {
    status: [502],
    meaning:
      "A folder is copied in part: detail.copied counts the copied items, detail.missing names those that the vendor refused; with overwrite=true nothing was replaced",
  },
  double_slashes: {
    status: [307],
    meaning: "The path has double slashes; the header Location has it with single ones",
  },
  download_quota_exceeded: {
    status: [403],
    meaning: "The file was downloaded too often: the vendor gives it to nobody for some hours",
  },
  end_user_mismatch: {
    status: [403],
    meaning: "Another end user began this sign-in: its grant is revoked",
  },
  export_too_large: { status: [403], meaning: "The document is too large for the vendor to export" },
  forbidden: { status: [403], meaning: "The vendor, or the page's own guard, does not allow this" },
  grant_not_storable: {
    status: [502],
    meaning: "The vendor's tokens are too large to store, and were revoked",
  },
  host_not_allowed: {
    status: [400],
    meaning: "A host in the configuration that the connector does not allow",
  },
  instance_disabled: { status: [403], meaning: "The instance is disabled: PUT /instances/{id}/enabled" },
  internal_error: { status: [500], meaning: "A defect on our side; the logs show it with the requestId" },
  invalid_claim: { status: [400], meaning: "The claim does not belong to the session" },
  invalid_client: {
    status: [400],
    meaning: "The vendor does not know the OAuth client, or refuses its secret",
  },
  invalid_code: {
    status: [400],
    meaning: "The vendor refused the code: it is used, too old or for another client",
  },
  invalid_issuer: {
    status: [400],
    meaning: "The answer of the sign-in comes from another authorization server",
  },
  invalid_request: {
    status: [400, "4xx"],
    meaning: "Something in the request is wrong; detail.field names it",
  },
  invalid_response: { status: [400], meaning: "The vendor sent the user back without a code" },
  invalid_state: { status: [400], meaning: "The state is unknown, used or too old: begin the sign-in again" },
  key_service_unavailable: { status: [503], meaning: "The key service does not answer: try again" },
  link_ended: { status: [404], meaning: "The link has ended, or never existed" },
  marked_as_malware: {
    status: [403],
    meaning:
      "The vendor has marked the file as malware or spam: acknowledgeAbuse=true downloads it, for its owner",
  },
  method_not_allowed: {
    status: [405],
    meaning: "The path has no such method; Allow lists those that it has",
  },
  missing_scope: {
    status: [403],
    meaning: "The connection lacks a scope that the call needs: the user has to connect again",
  },
  misplaced_token: { status: [400], meaning: "The instance token is in a place that is sent to the vendor" },
  needs_reauthentication: {
    status: [401],
    meaning: "The vendor has ended the connection: the user has to sign in again",
  },
  needs_user: { status: [403], meaning: "The call needs User and Organization besides the instance token" },
  no_match: { status: [404], meaning: "No instance matches the filter" },
  not_a_file: { status: [400], meaning: "It is a folder" },
  not_a_folder: { status: [400], meaning: "It is a file" },
  not_connected: { status: [409], meaning: "The user has not connected an account in this session yet" },
  not_found: { status: [404], meaning: "There is no such thing, or it is somebody else's" },
  not_from_browsers: { status: [403], meaning: "The call is not accepted from browser pages" },
  not_renewable_yet: { status: [409], meaning: "The vendor renews this token only when it is older" },
  not_supported: { status: [501], meaning: "The connector cannot do this; its metadata says so" },
  payload_too_large: {
    status: [413],
    meaning: "The request is larger than one call can be: about 4.5 MB of body",
  },
  range_not_satisfiable: { status: [416], meaning: "The range is outside of the file" },
  rate_limited: {
    status: [429],
    meaning: "The vendor limits the rate of calls; Retry-After says how long to wait",
  },
  redirect_uri_mismatch: { status: [400], meaning: "The callback URL is not registered for the app" },
  refresh_too_soon: { status: [429], meaning: "A refresh was forced less than a minute ago" },
  refused_by_firewall: { status: [403], meaning: "The deployment's firewall refuses the request" },
  return_url_not_allowed: { status: [400], meaning: "returnUrl is not on the organization's list" },
  seal_broken: { status: [500], meaning: "Something stored cannot be opened" },
  session_over: { status: [400], meaning: "The connect session has ended" },
  sign_in_superseded: { status: [409], meaning: "A later sign-in has replaced this sign-in" },
  storage_full: { status: [409], meaning: "The account's storage is full" },
  tenant_limit_reached: { status: [429], meaning: "The organization has reached the operator's limit" },
  token_superseded: {
    status: [403],
    meaning: "The instance token was rotated, and is valid only in its grace period",
  },
  token_unavailable: {
    status: [503],
    meaning: "There is no fresh vendor token yet: try again after Retry-After",
  },
  too_many_items: { status: [400], meaning: "The vendor does not change so many files at once" },
  too_many_requests: { status: [429], meaning: "More requests than the deployment accepts" },
  too_deep: { status: [400], meaning: "The body is nested too deep" },
  too_large: { status: [400, 413], meaning: "A value is too large to be stored; detail.field names it" },
  too_many_versions: { status: [409], meaning: "The organization has as many data keys as it may have" },
  unauthorized: { status: [401], meaning: "No credentials, or unknown or invalid ones" },
  unavailable: { status: [503, 500, 502, 504], meaning: "Not possible now: try again after Retry-After" },
  unknown_app: { status: [404], meaning: "The OAuth app of this connection is not registered any more" },
  unknown_element: { status: [404], meaning: "There is no such connector" },
  unknown_host: { status: [404], meaning: "The connector has no host with this name" },
  unknown_hub: { status: [404], meaning: "There is no such hub" },
  unknown_instance: { status: [404], meaning: "There is no such instance, or it is somebody else's" },
  unknown_oauth_proxy: { status: [404], meaning: "The organization has no such OAuth proxy" },
  unknown_path: { status: [404], meaning: "The API has no such path" },
  unknown_session: { status: [404], meaning: "There is no such connect session, or it has ended" },
  unusable_access_token: { status: [400, 502], meaning: "The vendor gave a token that no header can carry" },
  vendor_address_refused: { status: [502], meaning: "The vendor's address must not be called" },
  vendor_answer_too_large: { status: [502], meaning: "The vendor's answer is larger than the limit" },
  vendor_answer_unreadable: { status: [502], meaning: "The vendor's answer cannot be read" },
  vendor_bad_answer: { status: [502], meaning: "The vendor's answer does not match its documentation" },
  vendor_endpoint_unknown: { status: [502], meaning: "The vendor did not send the URL of the account's API" },
  vendor_error: { status: [400, 502], meaning: "The vendor failed" },
  vendor_metadata_unusable: {
    status: [502],
    meaning: "The vendor's metadata document is missing, wrong, or names hosts that are on no list",
  },
  vendor_rate_limited: { status: [429], meaning: "The vendor limits the rate of token requests" },
  vendor_refused: {
    status: [400, "4xx"],
    meaning: "The vendor refused the request; detail.vendor has its words",
  },
  vendor_timeout: { status: [504], meaning: "The vendor did not answer in time" },
  vendor_unauthorized: {
    status: [401],
    meaning: "The vendor refuses the connection's token, and also a fresh one",
  },
  vendor_unavailable: { status: [503], meaning: "The vendor's token endpoint cannot answer now" },
  vendor_unreachable: {
    status: [502, 503],
    meaning: "The vendor could not be reached, or broke the connection",
  },
} as const satisfies Readonly<Record<string, Meaning>>;

export type ErrorCode = keyof typeof errorCodes;
