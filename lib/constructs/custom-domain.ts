import { CfnOutput } from "aws-cdk-lib";
import { DomainName, EndpointType, type RestApi, SecurityPolicy } from "aws-cdk-lib/aws-apigateway";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";

/**
 * Serves an API under the operator's own name, below the same path as the default URL
 * (`https://<name>/elements/…`). The name's DNS record (CNAME or alias) must point to the two outputs.
 * @returns the domain name
 */
export function addCustomDomain(
  api: RestApi,
  domain: { readonly name: string; readonly certificateArn: string },
  basePath: string,
): string {
  const custom = new DomainName(api, "Domain", {
    domainName: domain.name,
    certificate: Certificate.fromCertificateArn(api, "Certificate", domain.certificateArn),
    endpointType: EndpointType.REGIONAL,
    securityPolicy: SecurityPolicy.TLS_1_2,
  });
  custom.addBasePathMapping(api, { basePath, stage: api.deploymentStage });
  new CfnOutput(api.stack, "DomainTarget", { value: custom.domainNameAliasDomainName });
  new CfnOutput(api.stack, "DomainHostedZone", { value: custom.domainNameAliasHostedZoneId });
  return domain.name;
}
