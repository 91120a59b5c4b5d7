import type { RestApi } from "aws-cdk-lib/aws-apigateway";
import { CfnWebACL, CfnWebACLAssociation } from "aws-cdk-lib/aws-wafv2";

/**
 * AWS's rule groups, and their rules that only count, because these would refuse common requests to this API:
 * files as bodies, file paths (`…/settings.ini`) and URLs (callbacks, a vendor's URLs) in queries and paths,
 * long queries and paths, and server apps that send no user agent. The names of the rules are from
 * https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
 */
const ruleGroups: readonly { readonly name: string; readonly countOnly: readonly string[] }[] = [
  { name: "AWSManagedRulesAmazonIpReputationList", countOnly: [] },
  {
    name: "AWSManagedRulesCommonRuleSet",
    countOnly: [
      "NoUserAgent_HEADER",
      "SizeRestrictions_QUERYSTRING",
      "SizeRestrictions_BODY",
      "SizeRestrictions_URIPATH",
      "EC2MetaDataSSRF_BODY",
      "EC2MetaDataSSRF_QUERYARGUMENTS",
      "GenericLFI_QUERYARGUMENTS",
      "GenericLFI_BODY",
      "RestrictedExtensions_URIPATH",
      "RestrictedExtensions_QUERYARGUMENTS",
      "GenericRFI_QUERYARGUMENTS",
      "GenericRFI_BODY",
      "GenericRFI_URIPATH",
      "CrossSiteScripting_QUERYARGUMENTS",
      "CrossSiteScripting_BODY",
    ],
  },
  {
    name: "AWSManagedRulesKnownBadInputsRuleSet",
    countOnly: ["JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY"],
  },
];

const TOO_MANY = "too-many-requests";
/** Seconds over which a rate is counted; the shortest time that AWS allows. */
const RATE_WINDOW_SECONDS = 60;

/**
 * Puts a web ACL in front of the API's stage: the operator's own, or a new one. The new web ACL limits the
 * requests of a single address, so that one address does not use up the stage's throttle, which all callers
 * share; and it contains AWS's lists of known attackers and attacks. It never refuses a request because of
 * its body. It does not inspect answers, so streams pass unchanged.
 */
export function addFirewall(
  api: RestApi,
  stage: string,
  waf: { readonly arn: string } | { readonly requestsPerMinute: number },
): void {
  new CfnWebACLAssociation(api, "FirewallAssociation", {
    resourceArn: api.deploymentStage.stageArn,
    webAclArn: "arn" in waf ? waf.arn : managedAcl(api, stage, waf.requestsPerMinute).attrArn,
  });
}

function managedAcl(api: RestApi, stage: string, requestsPerMinute: number): CfnWebACL {
  const name = `linkspan-${stage}`;
  return new CfnWebACL(api, "Firewall", {
    name,
    description: `Linkspan ${stage}: a rate limit for each address, lists of known attackers and attacks`,
    scope: "REGIONAL",
    defaultAction: { allow: {} },
    visibilityConfig: visibility(name),
    customResponseBodies: {
      [TOO_MANY]: {
        contentType: "APPLICATION_JSON",
        content: JSON.stringify({
          message: "too many requests from one address; try again later",
          code: "too_many_requests",
        }),
      },
    },
    rules: [
      {
        name: "RateOfOneAddress",
        priority: 0,
        action: {
          block: {
            customResponse: {
              responseCode: 429,
              customResponseBodyKey: TOO_MANY,
              // The same headers as on Linkspan's own errors.
              responseHeaders: [
                { name: "Retry-After", value: String(RATE_WINDOW_SECONDS) },
                { name: "Cache-Control", value: "no-store" },
                { name: "X-Content-Type-Options", value: "nosniff" },
                { name: "Elements-Error-Source", value: "linkspan" },
              ],
            },
          },
        },
        statement: {
          rateBasedStatement: {
            aggregateKeyType: "IP",
            limit: requestsPerMinute,
            evaluationWindowSec: RATE_WINDOW_SECONDS,
          },
        },
        visibilityConfig: visibility("RateOfOneAddress"),
      },
      ...ruleGroups.map(({ name: group, countOnly }, index) => ({
        name: group,
        priority: index + 1,
        overrideAction: { none: {} },
        statement: {
          managedRuleGroupStatement: {
            vendorName: "AWS",
            name: group,
            ...(countOnly.length === 0
              ? {}
              : {
                  ruleActionOverrides: countOnly.map((rule) => ({
                    name: rule,
                    actionToUse: { count: {} },
                  })),
                }),
          },
        },
        visibilityConfig: visibility(group),
      })),
    ],
  });
}

/** Keeps no samples of requests, because samples contain headers, including the Authorization header. */
function visibility(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { cloudWatchMetricsEnabled: true, metricName, sampledRequestsEnabled: false };
}
