//! Companies that want one to four words: lego's name and variables, and how the library is told.

use std::time::Duration;

use dns_update::DnsUpdater;

use super::variables::Variables;

type Found = (DnsUpdater, &'static str);

/// `"name" | "alias" => constructor(VARIABLE | OLD_NAME, …), "PREFIX of its times";`
macro_rules! providers {
    ($($name:literal $(| $alias:literal)* => $new:ident($($variable:ident $(| $old:ident)*),+), $prefix:literal;)+) => {
        /// What can be named here.
        pub(super) const NAMES: &[&str] = &[$($name, $($alias,)*)+];

        /// The provider of that name; None: there is none here.
        pub(super) fn find(name: &str, variables: &Variables) -> Option<Result<Found, String>> {
            let made = match name {
                $($name $(| $alias)* => {
                    let time = variables.seconds(concat!($prefix, "_HTTP_TIMEOUT")).or(Some(Duration::from_secs(30)));
                    let made = (|| {
                        DnsUpdater::$new(
                            $(variables.need(&[stringify!($variable), $(stringify!($old)),*])?,)+
                            time,
                        ).map_err(|error| error.to_string())
                    })();
                    made.map(|made| (made, $prefix))
                })+
                _ => return None,
            };
            Some(made)
        }
    };
}

providers! {
    "arvancloud" => new_arvancloud(ARVANCLOUD_API_KEY), "ARVANCLOUD";
    "baiducloud" => new_baiducloud(BAIDUCLOUD_ACCESS_KEY_ID, BAIDUCLOUD_SECRET_ACCESS_KEY), "BAIDUCLOUD";
    "bunny" => new_bunny(BUNNY_API_KEY), "BUNNY";
    "cloudflare" => new_cloudflare(CF_DNS_API_TOKEN | CLOUDFLARE_DNS_API_TOKEN), "CLOUDFLARE";
    "constellix" => new_constellix(CONSTELLIX_API_KEY, CONSTELLIX_SECRET_KEY), "CONSTELLIX";
    "cpanel" => new_cpanel(CPANEL_BASE_URL, CPANEL_USERNAME, CPANEL_TOKEN), "CPANEL";
    "ddnss" => new_ddnss(DDNSS_KEY), "DDNSS";
    "desec" => new_desec(DESEC_TOKEN), "DESEC";
    "digitalocean" => new_digitalocean(DO_AUTH_TOKEN), "DO";
    "dnsimple" => new_dnsimple(DNSIMPLE_OAUTH_TOKEN, DNSIMPLE_ACCOUNT_ID), "DNSIMPLE";
    "dnsmadeeasy" => new_dnsmadeeasy(DNSMADEEASY_API_KEY, DNSMADEEASY_API_SECRET), "DNSMADEEASY";
    "domeneshop" | "domainnameshop" => new_domeneshop(DOMENESHOP_API_TOKEN, DOMENESHOP_API_SECRET), "DOMENESHOP";
    "dreamhost" => new_dreamhost(DREAMHOST_API_KEY), "DREAMHOST";
    "duckdns" => new_duckdns(DUCKDNS_TOKEN), "DUCKDNS";
    "dynu" => new_dynu(DYNU_API_KEY), "DYNU";
    "easydns" => new_easydns(EASYDNS_TOKEN, EASYDNS_KEY), "EASYDNS";
    "exoscale" => new_exoscale(EXOSCALE_API_KEY, EXOSCALE_API_SECRET), "EXOSCALE";
    "freemyip" => new_freemyip(FREEMYIP_TOKEN), "FREEMYIP";
    "gandiv5" => new_gandiv5(GANDIV5_PERSONAL_ACCESS_TOKEN), "GANDIV5";
    "gcore" => new_gcore(GCORE_PERMANENT_API_TOKEN), "GCORE";
    "glesys" => new_glesys(GLESYS_API_USER, GLESYS_API_KEY), "GLESYS";
    "godaddy" => new_godaddy(GODADDY_API_KEY, GODADDY_API_SECRET), "GODADDY";
    "hetzner" => new_hetzner(HETZNER_API_TOKEN), "HETZNER";
    "hostingde" => new_hostingde(HOSTINGDE_API_KEY), "HOSTINGDE";
    "hostinger" => new_hostinger(HOSTINGER_API_TOKEN), "HOSTINGER";
    "huaweicloud" => new_huaweicloud(HUAWEICLOUD_ACCESS_KEY_ID, HUAWEICLOUD_SECRET_ACCESS_KEY, HUAWEICLOUD_REGION), "HUAWEICLOUD";
    "ibmcloud" => new_ibmcloud(SOFTLAYER_USERNAME, SOFTLAYER_API_KEY), "SOFTLAYER";
    "infomaniak" => new_infomaniak(INFOMANIAK_ACCESS_TOKEN), "INFOMANIAK";
    "ionos" => new_ionos(IONOS_API_KEY), "IONOS";
    "ipv64" => new_ipv64(IPV64_API_KEY), "IPV64";
    "linode" => new_linode(LINODE_TOKEN), "LINODE";
    "luadns" => new_luadns(LUADNS_API_USERNAME, LUADNS_API_TOKEN), "LUADNS";
    "mythicbeasts" => new_mythicbeasts(MYTHICBEASTS_USERNAME, MYTHICBEASTS_PASSWORD), "MYTHICBEASTS";
    "namedotcom" => new_namedotcom(NAMECOM_USERNAME, NAMECOM_API_TOKEN), "NAMECOM";
    "namesilo" => new_namesilo(NAMESILO_API_KEY), "NAMESILO";
    "netcup" => new_netcup(NETCUP_CUSTOMER_NUMBER, NETCUP_API_KEY, NETCUP_API_PASSWORD), "NETCUP";
    "netlify" => new_netlify(NETLIFY_TOKEN), "NETLIFY";
    "nifcloud" => new_nifcloud(NIFCLOUD_ACCESS_KEY_ID, NIFCLOUD_SECRET_ACCESS_KEY), "NIFCLOUD";
    "ns1" => new_ns1(NS1_API_KEY), "NS1";
    "porkbun" => new_porkbun(PORKBUN_API_KEY, PORKBUN_SECRET_API_KEY), "PORKBUN";
    "safedns" => new_safedns(SAFEDNS_AUTH_TOKEN), "SAFEDNS";
    "scaleway" => new_scaleway(SCW_SECRET_KEY | SCALEWAY_API_TOKEN), "SCW";
    "selectelv2" => new_selectel(SELECTELV2_USERNAME, SELECTELV2_PASSWORD, SELECTELV2_ACCOUNT_ID, SELECTELV2_PROJECT_ID), "SELECTELV2";
    "simply" => new_simplycom(SIMPLY_ACCOUNT_NAME, SIMPLY_API_KEY), "SIMPLY";
    "spaceship" => new_spaceship(SPACESHIP_API_KEY, SPACESHIP_API_SECRET), "SPACESHIP";
    "vultr" => new_vultr(VULTR_API_KEY), "VULTR";
    "websupport" => new_websupport(WEBSUPPORT_API_KEY, WEBSUPPORT_SECRET), "WEBSUPPORT";
    "zoneee" => new_zoneeu(ZONEEE_API_USER, ZONEEE_API_KEY), "ZONEEE";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_asks_for_its_variables() {
        for name in NAMES {
            let asked = find(name, &Variables::of(&[])).map(|found| found.err().unwrap_or_default());
            assert!(asked.as_deref().unwrap_or_default().contains("is missing"), "{name}: {asked:?}");
        }
        assert!(
            find("cloudflare", &Variables::of(&[("CLOUDFLARE_DNS_API_TOKEN", "x")])).is_some_and(|found| found.is_ok())
        );
    }
}
