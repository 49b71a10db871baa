//! Companies and protocols that want more than a few words.

use std::collections::HashMap;
use std::net::ToSocketAddrs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dns_update::providers::azuredns::{AzureDnsConfig, AzureEnvironment};
use dns_update::providers::bluecatv2::BluecatV2Config;
use dns_update::providers::edgedns::EdgeDnsConfig;
use dns_update::providers::google_cloud_dns::GoogleCloudDnsConfig;
use dns_update::providers::infoblox::InfobloxConfig;
use dns_update::providers::joker::JokerAuth;
use dns_update::providers::lightsail::LightsailConfig;
use dns_update::providers::oraclecloud::OracleCloudConfig;
use dns_update::providers::ovh::OvhEndpoint;
use dns_update::providers::rfc2136::DnsAddress;
use dns_update::providers::route53::Route53Config;
use dns_update::providers::volcengine::VolcengineConfig;
use dns_update::providers::yandexcloud::YandexCloudConfig;
use dns_update::{DnsUpdater, TsigAlgorithm};

use super::variables::Variables;

type Found = (DnsUpdater, &'static str);

/// What can be named here, and how its variables begin.
pub(super) const KNOWN: &[(&str, &str)] = &[
    ("alidns", "ALICLOUD"),
    ("autodns", "AUTODNS"),
    ("azuredns", "AZURE"),
    ("bluecatv2", "BLUECATV2"),
    ("cloudns", "CLOUDNS"),
    ("edgedns", "AKAMAI"),
    ("gcloud", "GCE"),
    ("hurricane", "HURRICANE"),
    ("infoblox", "INFOBLOX"),
    ("inwx", "INWX"),
    ("joker", "JOKER"),
    ("lightsail", "LIGHTSAIL"),
    ("namecheap", "NAMECHEAP"),
    ("oraclecloud", "OCI"),
    ("ovh", "OVH"),
    ("pdns", "PDNS"),
    ("rfc2136", "RFC2136"),
    ("route53", "AWS"),
    ("tencentcloud", "TENCENTCLOUD"),
    ("transip", "TRANSIP"),
    ("ultradns", "ULTRADNS"),
    ("vercel", "VERCEL"),
    ("volcengine", "VOLC"),
    ("yandexcloud", "YANDEX_CLOUD"),
];

/// The provider of that name; None: there is none here.
pub(super) fn find(name: &str, variables: &Variables) -> Option<Result<Found, String>> {
    let (need, find) = (|name: &str| variables.need(&[name]), |name: &str| variables.find(name));
    let time = |prefix: &str| variables.seconds(&format!("{prefix}_HTTP_TIMEOUT")).or(Some(Duration::from_secs(30)));
    let prefix = KNOWN.iter().find(|(known, _)| *known == name)?.1;
    let made = || -> Result<DnsUpdater, String> {
        let made = match name {
            "alidns" => DnsUpdater::new_alidns(
                need("ALICLOUD_ACCESS_KEY")?,
                need("ALICLOUD_SECRET_KEY")?,
                find("ALICLOUD_REGION_ID"),
                find("ALICLOUD_SECURITY_TOKEN"),
                find("ALICLOUD_LINE"),
                time(prefix),
            ),
            "autodns" => {
                let context = find("AUTODNS_CONTEXT").and_then(|text| text.parse().ok());
                DnsUpdater::new_autodns(need("AUTODNS_API_USER")?, need("AUTODNS_API_PASSWORD")?, context, time(prefix))
            }
            "azuredns" => DnsUpdater::new_azuredns(azure(variables, time(prefix))?),
            "bluecatv2" => DnsUpdater::new_bluecatv2(BluecatV2Config {
                server_url: need("BLUECATV2_SERVER_URL")?,
                username: need("BLUECATV2_USERNAME")?,
                password: need("BLUECATV2_PASSWORD")?,
                config_name: need("BLUECATV2_CONFIG_NAME")?,
                view_name: need("BLUECATV2_VIEW_NAME")?,
                skip_deploy: variables.is_set("BLUECATV2_SKIP_DEPLOY"),
                request_timeout: time(prefix),
            }),
            "cloudns" => {
                let (id, sub) = (find("CLOUDNS_AUTH_ID"), find("CLOUDNS_SUB_AUTH_ID"));
                if id.is_none() && sub.is_none() {
                    return Err("the variable CLOUDNS_AUTH_ID or CLOUDNS_SUB_AUTH_ID is missing".to_owned());
                }
                DnsUpdater::new_cloudns(id, sub, need("CLOUDNS_AUTH_PASSWORD")?, time(prefix))
            }
            "edgedns" => DnsUpdater::new_edgedns(EdgeDnsConfig {
                host: need("AKAMAI_HOST")?,
                client_token: need("AKAMAI_CLIENT_TOKEN")?,
                client_secret: need("AKAMAI_CLIENT_SECRET")?,
                access_token: need("AKAMAI_ACCESS_TOKEN")?,
                account_switch_key: find("AKAMAI_ACCOUNT_SWITCH_KEY"),
                request_timeout: time(prefix),
            }),
            "gcloud" => DnsUpdater::new_google_cloud_dns(google(variables, time(prefix))?),
            "hurricane" => {
                let tokens = need("HURRICANE_TOKENS")?;
                let pairs = tokens.split(',').filter_map(|pair| pair.trim().split_once(':'));
                let pairs = pairs.map(|(zone, token)| (zone.to_owned(), token.to_owned()));
                DnsUpdater::new_hurricane(pairs.collect::<HashMap<_, _>>(), time(prefix))
            }
            "infoblox" => DnsUpdater::new_infoblox(InfobloxConfig {
                host: need("INFOBLOX_HOST")?,
                port: find("INFOBLOX_PORT"),
                username: need("INFOBLOX_USERNAME")?,
                password: need("INFOBLOX_PASSWORD")?,
                wapi_version: find("INFOBLOX_WAPI_VERSION"),
                dns_view: find("INFOBLOX_DNS_VIEW"),
                request_timeout: time(prefix),
            }),
            "inwx" => DnsUpdater::new_inwx(
                need("INWX_USERNAME")?,
                need("INWX_PASSWORD")?,
                variables.is_set("INWX_SANDBOX"),
                time(prefix),
            ),
            "joker" => {
                let auth = match find("JOKER_API_KEY") {
                    Some(key) => JokerAuth::ApiKey(key),
                    None => JokerAuth::UsernamePassword {
                        username: need("JOKER_USERNAME")?,
                        password: need("JOKER_PASSWORD")?,
                    },
                };
                DnsUpdater::new_joker(auth, time(prefix))
            }
            "lightsail" => DnsUpdater::new_lightsail(LightsailConfig {
                access_key_id: need("AWS_ACCESS_KEY_ID")?,
                secret_access_key: need("AWS_SECRET_ACCESS_KEY")?,
                session_token: find("AWS_SESSION_TOKEN"),
                region: find("LIGHTSAIL_REGION"),
                domain: find("DNS_ZONE"),
                request_timeout: time(prefix),
            }),
            "namecheap" => DnsUpdater::new_namecheap(
                need("NAMECHEAP_API_USER")?,
                need("NAMECHEAP_API_KEY")?,
                need("NAMECHEAP_CLIENT_IP")?,
                None::<String>,
                time(prefix),
            ),
            "oraclecloud" => DnsUpdater::new_oraclecloud(OracleCloudConfig {
                tenancy_ocid: need("OCI_TENANCY_OCID")?,
                user_ocid: need("OCI_USER_OCID")?,
                fingerprint: need("OCI_PUBKEY_FINGERPRINT")?,
                private_key_pem: need("OCI_PRIVKEY")?,
                private_key_password: find("OCI_PRIVKEY_PASS"),
                region: need("OCI_REGION")?,
                compartment_ocid: need("OCI_COMPARTMENT_OCID")?,
                request_timeout: time(prefix),
            }),
            "ovh" => DnsUpdater::new_ovh(
                need("OVH_APPLICATION_KEY")?,
                need("OVH_APPLICATION_SECRET")?,
                need("OVH_CONSUMER_KEY")?,
                ovh(&need("OVH_ENDPOINT")?)?,
                time(prefix),
            ),
            "pdns" => DnsUpdater::new_pdns(
                need("PDNS_API_KEY")?,
                Some(need("PDNS_API_URL")?),
                find("PDNS_SERVER_NAME"),
                time(prefix),
            ),
            "rfc2136" => return rfc2136(variables),
            "route53" => DnsUpdater::new_route53(Route53Config {
                access_key_id: need("AWS_ACCESS_KEY_ID")?,
                secret_access_key: need("AWS_SECRET_ACCESS_KEY")?,
                session_token: find("AWS_SESSION_TOKEN"),
                region: find("AWS_REGION"),
                hosted_zone_id: find("AWS_HOSTED_ZONE_ID"),
                private_zone_only: find("AWS_PRIVATE_ZONE").map(|value| value == "true"),
                endpoint: None,
            }),
            "tencentcloud" => DnsUpdater::new_tencentcloud(
                need("TENCENTCLOUD_SECRET_ID")?,
                need("TENCENTCLOUD_SECRET_KEY")?,
                find("TENCENTCLOUD_REGION"),
                find("TENCENTCLOUD_SESSION_TOKEN"),
                time(prefix),
            ),
            "transip" => {
                let path = need("TRANSIP_PRIVATE_KEY_PATH")?;
                let key = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
                DnsUpdater::new_transip(need("TRANSIP_ACCOUNT_NAME")?, key, false, time(prefix))
            }
            "ultradns" => DnsUpdater::new_ultradns(
                need("ULTRADNS_USERNAME")?,
                need("ULTRADNS_PASSWORD")?,
                find("ULTRADNS_ENDPOINT"),
                time(prefix),
            ),
            "vercel" => DnsUpdater::new_vercel(need("VERCEL_API_TOKEN")?, find("VERCEL_TEAM_ID"), time(prefix)),
            "volcengine" => DnsUpdater::new_volcengine(VolcengineConfig {
                access_key: need("VOLC_ACCESSKEY")?,
                secret_key: need("VOLC_SECRETKEY")?,
                region: find("VOLC_REGION"),
                host: find("VOLC_HOST"),
                scheme: find("VOLC_SCHEME"),
                request_timeout: time(prefix),
            }),
            _ => DnsUpdater::new_yandexcloud(YandexCloudConfig {
                iam_token_b64: need("YANDEX_CLOUD_IAM_TOKEN")?,
                folder_id: need("YANDEX_CLOUD_FOLDER_ID")?,
                request_timeout: time(prefix),
            }),
        };
        made.map_err(|error| error.to_string())
    };
    Some(made().map(|made| (made, prefix)))
}

fn azure(variables: &Variables, request_timeout: Option<Duration>) -> Result<AzureDnsConfig, String> {
    let need = |name: &str| variables.need(&[name]);
    Ok(AzureDnsConfig {
        tenant_id: need("AZURE_TENANT_ID")?,
        client_id: need("AZURE_CLIENT_ID")?,
        client_secret: need("AZURE_CLIENT_SECRET")?,
        subscription_id: need("AZURE_SUBSCRIPTION_ID")?,
        resource_group: need("AZURE_RESOURCE_GROUP")?,
        environment: match variables.find("AZURE_ENVIRONMENT").unwrap_or_default().as_str() {
            "" | "public" => AzureEnvironment::Public,
            "china" => AzureEnvironment::China,
            "usgovernment" => AzureEnvironment::UsGovernment,
            other => return Err(format!("AZURE_ENVIRONMENT: {other} is none of public, china, usgovernment")),
        },
        request_timeout,
    })
}

fn google(variables: &Variables, request_timeout: Option<Duration>) -> Result<GoogleCloudDnsConfig, String> {
    let account = variables.need(&["GCE_SERVICE_ACCOUNT"])?;
    let of_account =
        || serde_json::from_str::<serde_json::Value>(&account).ok()?["project_id"].as_str().map(String::from);
    let project = variables.find("GCE_PROJECT").or_else(of_account);
    Ok(GoogleCloudDnsConfig {
        project_id: project.ok_or("the variable GCE_PROJECT is missing")?,
        service_account_json: account,
        managed_zone: variables.find("GCE_ZONE_ID"),
        private_zone: variables.is_set("GCE_ALLOW_PRIVATE_ZONE"),
        impersonate_service_account: variables.find("GCE_IMPERSONATE_SERVICE_ACCOUNT"),
        request_timeout,
    })
}

fn ovh(endpoint: &str) -> Result<OvhEndpoint, String> {
    Ok(match endpoint {
        "ovh-eu" => OvhEndpoint::OvhEu,
        "ovh-us" => OvhEndpoint::OvhUs,
        "ovh-ca" => OvhEndpoint::OvhCa,
        "kimsufi-eu" => OvhEndpoint::KimsufiEu,
        "kimsufi-ca" => OvhEndpoint::KimsufiCa,
        "soyoustart-eu" => OvhEndpoint::SoyoustartEu,
        "soyoustart-ca" => OvhEndpoint::SoyoustartCa,
        other => return Err(format!("OVH_ENDPOINT: {other} is no endpoint such as ovh-eu")),
    })
}

/// Dynamic updates, signed. The server may be a name: it is looked up once.
fn rfc2136(variables: &Variables) -> Result<DnsUpdater, String> {
    let server = variables.need(&["RFC2136_NAMESERVER"])?;
    let with_port = if server.contains(':') { server.clone() } else { format!("{server}:53") };
    let found = with_port.to_socket_addrs().map_err(|error| format!("RFC2136_NAMESERVER {server}: {error}"))?.next();
    let address = found.ok_or_else(|| format!("RFC2136_NAMESERVER {server} has no address"))?;
    let Some(name) = variables.find("RFC2136_TSIG_KEY") else {
        return Err(
            "the variable RFC2136_TSIG_KEY is missing: updates without a signature are not made here".to_owned()
        );
    };
    let secret = variables.need(&["RFC2136_TSIG_SECRET"])?;
    let secret =
        STANDARD.decode(secret.trim()).map_err(|error| format!("RFC2136_TSIG_SECRET is not base64: {error}"))?;
    let asked = variables.find("RFC2136_TSIG_ALGORITHM").unwrap_or_else(|| "hmac-sha1.".to_owned());
    let algorithm = match asked.trim_end_matches('.').to_ascii_lowercase().as_str() {
        "hmac-sha1" => TsigAlgorithm::HmacSha1,
        "hmac-sha224" => TsigAlgorithm::HmacSha224,
        "hmac-sha256" => TsigAlgorithm::HmacSha256,
        "hmac-sha384" => TsigAlgorithm::HmacSha384,
        "hmac-sha512" => TsigAlgorithm::HmacSha512,
        other => return Err(format!("RFC2136_TSIG_ALGORITHM: {other} is none of hmac-sha1, -sha224 to -sha512")),
    };
    DnsUpdater::new_rfc2136_tsig(DnsAddress::Udp(address), name, secret, algorithm).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_asks_for_its_variables() {
        for (name, _) in KNOWN {
            let asked = find(name, &Variables::of(&[])).map(|found| found.err().unwrap_or_default());
            assert!(asked.as_deref().unwrap_or_default().contains("missing"), "{name}: {asked:?}");
        }
    }

    #[test]
    fn dynamic_updates_are_told_by_legos_variables() {
        let mut pairs = vec![
            ("RFC2136_NAMESERVER", "127.0.0.1:5353"),
            ("RFC2136_TSIG_KEY", "key.test."),
            ("RFC2136_TSIG_SECRET", "c2VjcmV0"),
            ("RFC2136_TSIG_ALGORITHM", "hmac-sha256."),
        ];
        assert!(rfc2136(&Variables::of(&pairs)).is_ok());
        pairs[3].1 = "crc32";
        assert!(rfc2136(&Variables::of(&pairs)).err().unwrap_or_default().contains("crc32"));
    }
}
