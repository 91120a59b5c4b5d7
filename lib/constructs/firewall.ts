import type { RestApi } from "aws-cdk-lib/aws-apigateway";
import { CfnWebACL, CfnWebACLAssociation } from "aws-cdk-lib/aws-wafv2";

/**
 * Rules of AWS's groups that only count, since they would refuse what callers of this API send every day: files as bodies,
 * paths of files (`…/settings.ini`) and URLs (callbacks, a vendor's own) in queries and paths, queries and paths that are
 * long, and server apps that name no user agent. The names stand in
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
/** Seconds over which a rate is counted; the shortest that there is. */
const RATE_WINDOW_SECONDS = 60;

/**
 * Puts a web ACL in front of the API's stage: the operator's own, or one that is made here. That one guards the stage's
 * throttle, which all callers share, by a bound on what a single address may send, and holds AWS's lists of known attackers
 * and attacks. It never judges bodies. Answers are not looked at, so streams pass as they are.
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
    description: `Linkspan ${stage}: a rate for each address, lists of known attackers and attacks`,
    scope: "REGIONAL",
    defaultAction: { allow: {} },
    visibilityConfig: visibility(name),
    customResponseBodies: {
      [TOO_MANY]: {
        contentType: "APPLICATION_JSON",
        content: JSON.stringify({
          message: "more requests from one address than this deployment takes; try again",
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
              // As our own errors have them.
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

/** Samples of requests hold their headers, the Authorization header too: none are kept. */
function visibility(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { cloudWatchMetricsEnabled: true, metricName, sampledRequestsEnabled: false };
}
