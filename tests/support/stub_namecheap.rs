//! A stub of Namecheap's API for certificates, for which there is no account in tests. It is built from
//! the documentation of the methods (namecheap.com/support/api/methods/ssl, read 2026-11): status 200 for
//! errors, CDATA, the sample of `ssl.getInfo` that is not well-formed, both places of the record, both
//! spellings of the methods, and a new id for each reissue. It counts what costs money or happens once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use md5::{Digest, Md5};

use super::ca::{Leaf, TestCa, days};
use super::external::external_program;
use super::stub_api::{StubApi, StubReply, StubRequest};

pub const API_KEY: &str = "n4m3ch34p-k3y-0123456789abcdef";
pub const CLIENT_IP: &str = "203.0.113.7";
const UNIQUE_VALUE: &str = "69ff68dc5168c";

/// What is done with one call, instead of the usual.
#[derive(Clone)]
pub enum StubFault {
    /// These numbers and texts of errors; the call has no effect.
    Errors(Vec<(&'static str, String)>),
    /// This answer; the call has no effect.
    Reply(StubReply),
    /// No answer; the call has its effect.
    LostAnswer,
    /// The process is killed before the call has its effect.
    KillBefore(Arc<KillTarget>),
    /// The same, after the effect and before the answer.
    KillAfter(Arc<KillTarget>),
}

/// The process to kill, which is known after it was started.
#[derive(Default)]
pub struct KillTarget {
    process: Mutex<Option<u32>>,
    is_known: Condvar,
}

impl KillTarget {
    pub fn set(&self, process: u32) {
        *self.process.lock().unwrap() = Some(process);
        self.is_known.notify_all();
    }

    /// Waits until the process is known, and kills it.
    fn kill(&self) {
        let mut process = self.process.lock().unwrap();
        while process.is_none() {
            process = self.is_known.wait(process).unwrap();
        }
        let id = process.unwrap().try_into().unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
    }
}

/// Which call is answered in another way.
#[derive(Clone)]
pub enum FaultCall {
    /// The next one of this command.
    Next(String),
    /// The one with this number, counted from 1.
    Numbered(usize),
}

/// One certificate in the account.
#[derive(Clone, Default)]
pub struct StubCertificate {
    pub product: &'static str,
    pub status: &'static str,
    pub description: &'static str,
    pub host_name: String,
    pub request: String,
    pub chain: Vec<String>,
    pub replaced_by: Option<u64>,
    /// Whether the CA has found the record.
    pub is_validated: bool,
}

/// The account, and what was done with it.
#[derive(Default)]
pub struct StubAccount {
    pub certificates: BTreeMap<u64, StubCertificate>,
    pub purchases: usize,
    pub activations: usize,
    pub reissues: usize,
    pub pokes: usize,
    /// How certain calls are answered.
    pub faults: Vec<(FaultCall, StubFault)>,
    /// How many calls came.
    pub calls: usize,
    /// What must never happen: a parameter in the URL, a method other than POST.
    pub violations: Vec<String>,
    /// The name server that the CA looks at; without one, every record is there.
    pub name_server: Option<SocketAddr>,
    /// Whether the CA issues once the record is there.
    pub is_slow: bool,
    /// The product that is delivered in place of the one that was bought.
    pub delivered_product: Option<&'static str>,
    /// A record in place of the right one.
    pub record: Option<(String, String)>,
}

/// The API, which ends when the value is dropped.
pub struct StubNamecheap {
    pub api: StubApi,
    pub authority: Arc<TestCa>,
    account: Arc<Mutex<StubAccount>>,
}

impl StubNamecheap {
    pub fn start() -> Self {
        let authority = Arc::new(TestCa::new());
        let account = Arc::new(Mutex::new(StubAccount::default()));
        let (issuer, shared) = (Arc::clone(&authority), Arc::clone(&account));
        let api = StubApi::start(move |request| shared.lock().unwrap().serve(request, &issuer));
        Self {
            api,
            authority,
            account,
        }
    }

    /// Reads or changes the account.
    pub fn with<T>(&self, change: impl FnOnce(&mut StubAccount) -> T) -> T {
        change(&mut self.account.lock().unwrap())
    }

    /// Adds a certificate that is bought and not activated.
    pub fn add_purchase(&self, id: u64) {
        let certificate = StubCertificate {
            product: "PositiveSSL",
            status: "NEWPURCHASE",
            ..StubCertificate::default()
        };
        self.with(|account| account.certificates.insert(id, certificate));
    }

    /// The next call of a command is answered with this.
    pub fn fail_next(&self, command: &str, fault: StubFault) {
        let call = FaultCall::Next(command.to_owned());
        self.with(|account| account.faults.push((call, fault)));
    }

    /// The call with this number, counted from the first one of the test, is answered with this.
    pub fn fail_at(&self, number: usize, fault: StubFault) {
        let call = FaultCall::Numbered(number);
        self.with(|account| account.faults.push((call, fault)));
    }

    /// The commands that were received, in order, without their prefix.
    pub fn commands(&self) -> Vec<String> {
        let requests = self.api.requests().into_iter();
        requests.map(|one| command_of(&one)).collect()
    }

    /// How often something happened: purchases, activations, reissues.
    pub fn counts(&self) -> [usize; 3] {
        self.with(|account| [account.purchases, account.activations, account.reissues])
    }

    /// Nothing was sent that must not be.
    pub fn assert_clean(&self) {
        let violations = self.with(|account| account.violations.clone());
        assert_eq!(violations, Vec::<String>::new());
    }
}

fn command_of(request: &StubRequest) -> String {
    let command = request.form_value("Command");
    command.rsplit('.').next().unwrap_or_default().to_owned()
}

/// An answer of the API: status 200, whatever it says.
fn answer(status: &str, inside: &str) -> StubReply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<ApiResponse Status=\"{status}\" \
         xmlns=\"http://api.namecheap.com/xml.response\">\r\n  {inside}\r\n  <Server>API01</Server>\r\n  \
         <GMTTimeDifference>--5:00</GMTTimeDifference>\r\n  <ExecutionTime>0.542</ExecutionTime>\r\n\
         </ApiResponse>"
    );
    StubReply::of_type(200, "text/xml; charset=utf-8", body)
}

pub fn errors(faults: &[(&str, String)]) -> StubReply {
    let mut texts = String::new();
    for (number, message) in faults {
        texts += &format!("<Error Number=\"{number}\">{message}</Error>");
    }
    answer(
        "ERROR",
        &format!("<Errors>{texts}</Errors><Warnings /><RequestedCommand />"),
    )
}

fn error(number: &str, message: &str) -> StubReply {
    errors(&[(number, message.to_owned())])
}

fn success(command: &str, inside: &str) -> StubReply {
    answer(
        "OK",
        &format!(
            "<Errors /><Warnings /><RequestedCommand>namecheap.ssl.{command}</RequestedCommand>\r\n  \
             <CommandResponse Type=\"namecheap.ssl.{command}\">{inside}</CommandResponse>"
        ),
    )
}

/// The bytes of a PEM block.
fn der_of(pem: &str) -> Vec<u8> {
    use base64::Engine;
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let text: String = lines.collect();
    base64::prelude::BASE64_STANDARD
        .decode(text.trim())
        .unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

impl StubAccount {
    fn serve(&mut self, request: &StubRequest, authority: &TestCa) -> StubReply {
        if !request.query.is_empty() || request.method != "POST" {
            self.violations
                .push(format!("{} ?{}", request.method, request.query));
        }
        let command = command_of(request);
        self.calls += 1;
        let call = self.calls;
        let is_due = |(which, _): &(FaultCall, StubFault)| match which {
            FaultCall::Next(name) => name.eq_ignore_ascii_case(&command),
            FaultCall::Numbered(number) => *number == call,
        };
        let at = self.faults.iter().position(is_due);
        let Some((_, fault)) = at.map(|at| self.faults.remove(at)) else {
            return self.answer(request, &command, authority);
        };
        match fault {
            StubFault::Errors(faults) => errors(&faults),
            StubFault::Reply(reply) => reply,
            StubFault::LostAnswer => {
                self.answer(request, &command, authority);
                StubReply::silence()
            }
            StubFault::KillBefore(target) => {
                target.kill();
                StubReply::silence()
            }
            StubFault::KillAfter(target) => {
                self.answer(request, &command, authority);
                target.kill();
                StubReply::silence()
            }
        }
    }

    fn answer(&mut self, request: &StubRequest, command: &str, authority: &TestCa) -> StubReply {
        if request.form_value("ApiUser") != "shopuser" {
            return error("1010101", "Parameter APIUser is missing");
        }
        if request.form_value("ApiKey") != API_KEY {
            // The real message does not repeat the key; a careless one would.
            let key = request.form_value("ApiKey");
            return error(
                "1011102",
                &format!("API Key is invalid or API access has not been enabled: {key}"),
            );
        }
        if request.form_value("ClientIp") != CLIENT_IP {
            return error("1011150", "Invalid request IP: 198.51.100.9");
        }
        match command.to_ascii_lowercase().as_str() {
            "create" => self.create(request),
            "getlist" => self.list(request),
            "getinfo" => self.info(request, authority),
            "activate" => self.activate(request),
            "reissue" => self.reissue(request),
            "editdcvmethod" => self.edit(request),
            "resendapproveremail" => self.resend(request),
            _ => error("1010104", "Parameter Command is missing"),
        }
    }

    fn create(&mut self, request: &StubRequest) -> StubReply {
        let product = request.form_value("Type");
        if product != "PositiveSSL" {
            return error("2011301", "Parameter SSLType is not valid");
        }
        self.purchases += 1;
        let id = self.next_id();
        let delivered = self.delivered_product.unwrap_or("PositiveSSL");
        let certificate = StubCertificate {
            product: delivered,
            status: "NEWPURCHASE",
            ..StubCertificate::default()
        };
        self.certificates.insert(id, certificate);
        success(
            "create",
            &format!(
                "<SSLCreateResult IsSuccess=\"true\" OrderId=\"1234\" TransactionId=\"5678\" \
                 ChargedAmount=\"9.0000\"><SSLCertificate CertificateID=\"{id}\" Created=\"12/01/2026\" \
                 SSLType=\"{delivered}\" Years=\"{}\" Status=\"NewPurchase\" /></SSLCreateResult>",
                request.form_value("Years")
            ),
        )
    }

    fn next_id(&self) -> u64 {
        self.certificates.keys().max().map_or(953_413, |id| id + 1)
    }

    fn list(&self, request: &StubRequest) -> StubReply {
        let page: usize = request.form_value("Page").parse().unwrap();
        let size: usize = request.form_value("PageSize").parse().unwrap();
        let mut rows = String::new();
        for (id, one) in self.certificates.iter().skip((page - 1) * size).take(size) {
            rows += &format!(
                "<SSL CertificateID=\"{id}\" HostName=\"{}\" SSLType=\"{}\" PurchaseDate=\"12/01/2026\" \
                 ExpireDate=\"\" ActivationExpireDate=\"\" IsExpiredYN=\"false\" Status=\"{}\" />",
                one.host_name, one.product, one.status
            );
        }
        let total = self.certificates.len();
        success(
            "getList",
            &format!(
                "<SSLListResult>{rows}</SSLListResult><Paging><TotalItems>{total}</TotalItems>\
                 <CurrentPage>{page}</CurrentPage><PageSize>{size}</PageSize></Paging>"
            ),
        )
    }

    fn id(request: &StubRequest) -> u64 {
        request.form_value("CertificateID").parse().unwrap_or(0)
    }

    fn info(&mut self, request: &StubRequest, authority: &TestCa) -> StubReply {
        let id = Self::id(request);
        let is_slow = self.is_slow;
        // Each certificate expires after the one before.
        let issued = self
            .certificates
            .values()
            .filter(|one| !one.chain.is_empty());
        let more = i64::try_from(issued.count()).unwrap();
        let mut leaf = Leaf::default();
        leaf.not_after = days(leaf.not_after, more);
        let Some(one) = self.certificates.get_mut(&id) else {
            return error("2011294", "CertificateID is invalid");
        };
        // The CA issues a while after it has seen the record.
        let shown = one.clone();
        if one.status == "PURCHASED" && one.is_validated && !is_slow {
            one.status = "Active";
            one.chain = vec![
                authority.issue_as(&one.request, leaf),
                authority.intermediate_pem(),
            ];
        }
        success("getInfo", &info_document(&shown))
    }

    fn activate(&mut self, request: &StubRequest) -> StubReply {
        let id = Self::id(request);
        let Some(one) = self.certificates.get_mut(&id) else {
            return error("2011294", "CertificateID is invalid");
        };
        if !matches!(one.status, "NEWPURCHASE" | "NEWRENEWAL") {
            return error("2011331", "Status is invalid");
        }
        if let Some(refusal) = refuse_request(request) {
            return refusal;
        }
        self.activations += 1;
        one.status = "PURCHASED";
        one.request = request.form_value("csr");
        one.host_name = first_name(request);
        self.started(id, "activate", "SSLActivateResult")
    }

    fn reissue(&mut self, request: &StubRequest) -> StubReply {
        let id = Self::id(request);
        if self
            .certificates
            .get(&id)
            .is_none_or(|one| one.status != "Active")
        {
            return error("2011331", "Status is invalid");
        }
        if let Some(refusal) = refuse_request(request) {
            return refusal;
        }
        self.reissues += 1;
        let next = self.next_id();
        let old = self.certificates.get_mut(&id).unwrap();
        old.status = "replaced";
        old.replaced_by = Some(next);
        let new = StubCertificate {
            product: old.product,
            status: "PURCHASED",
            request: request.form_value("csr"),
            host_name: old.host_name.clone(),
            ..StubCertificate::default()
        };
        self.certificates.insert(next, new);
        self.started(next, "reissue", "SSLReissueResult")
    }

    /// The record of a request, with a unique value.
    fn record(&self, id: u64) -> (String, String, String) {
        let one = &self.certificates[&id];
        let der = der_of(&one.request);
        let sha256 = hex(digest(&SHA256, &der).as_ref());
        let domain = one.host_name.trim_start_matches("*.").to_owned();
        let (first, last) = sha256.split_at(32);
        let (host, target) = self.record.clone().unwrap_or_else(|| {
            (
                format!("_{}.{domain}", hex(&Md5::digest(&der))),
                format!("{first}.{last}.{UNIQUE_VALUE}.comodoca.com"),
            )
        });
        (domain, host, target)
    }

    fn started(&self, id: u64, command: &str, element: &str) -> StubReply {
        let (domain, host, target) = self.record(id);
        success(
            command,
            &format!(
                "<{element} ID=\"{id}\" IsSuccess=\"true\">\r\n<HttpDCValidation ValueAvailable=\"true\">\
                 <DNS domain=\"{domain}\"><FileName><![CDATA[X.txt]]></FileName><FileContent>\
                 <![CDATA[X comodoca.com {UNIQUE_VALUE}]]></FileContent></DNS></HttpDCValidation>\
                 <DNSDCValidation ValueAvailable=\"true\"><DNS domain=\"{domain}\">\r\n<HostName>\
                 <![CDATA[{host}]]></HostName>\r\n<Target><![CDATA[{target}]]></Target></DNS>\
                 </DNSDCValidation></{element}>"
            ),
        )
    }

    /// The same method again is a retry; the answer has the record in another place.
    fn edit(&mut self, request: &StubRequest) -> StubReply {
        let id = Self::id(request);
        let method = request.form_value("DCVMethod") + &request.form_value("DCVMethods");
        if !method.contains("CNAME_CSR_HASH") {
            return error("3011295", "DCVMethod is invalid");
        }
        if self
            .certificates
            .get(&id)
            .is_none_or(|one| one.status != "PURCHASED")
        {
            return error("2011331", "Status is invalid");
        }
        self.validate(id);
        let (_, host, target) = self.record(id);
        success(
            "editDCVMethod",
            &format!(
                "<SSLEditDCVMethodResult ID=\"{id}\" IsSuccess=\"true\"><DNSDCValidation \
                 ValueAvailable=\"true\"><HostName>{host}</HostName><Target>{target}</Target>\
                 </DNSDCValidation></SSLEditDCVMethodResult>"
            ),
        )
    }

    fn resend(&mut self, request: &StubRequest) -> StubReply {
        let id = Self::id(request);
        if self
            .certificates
            .get(&id)
            .is_none_or(|one| one.status != "PURCHASED")
        {
            return error("2011331", "Status is invalid");
        }
        self.validate(id);
        let inside = format!("<SSLResendApproverEmailResult ID=\"{id}\" IsSuccess=\"true\"/>");
        success("resendApproverEmail", &inside)
    }

    /// The CA looks for the record.
    fn validate(&mut self, id: u64) {
        self.pokes += 1;
        let (_, host, target) = self.record(id);
        let is_there = match self.name_server {
            None => true,
            Some(server) => {
                let address = format!("@{}", server.ip());
                let mut kdig = external_program("kdig");
                kdig.args([&address, "+short", "+norec", "+tcp", "CNAME", &host]);
                let output = kdig.output().unwrap();
                let found = String::from_utf8(output.stdout).unwrap();
                found
                    .trim()
                    .trim_end_matches('.')
                    .eq_ignore_ascii_case(&target)
            }
        };
        if is_there && let Some(one) = self.certificates.get_mut(&id) {
            one.is_validated = true;
        }
    }
}

/// What both calls with a request check.
fn refuse_request(request: &StubRequest) -> Option<StubReply> {
    let csr = request.form_value("csr");
    if !csr.starts_with("-----BEGIN CERTIFICATE REQUEST-----") {
        return Some(error("2010298", "Parameter CSR is missing"));
    }
    if !request.form_value("AdminEmailAddress").contains('@') {
        return Some(error("2010292", "Parameter AdminEmailAddress is missing"));
    }
    if request.form_value("DNSDCValidation") != "true" {
        return Some(error("2011784", "More than one DCV method"));
    }
    None
}

/// The first name of the request.
fn first_name(request: &StubRequest) -> String {
    use x509_parser::prelude::{FromDer, X509CertificationRequest};
    let der = der_of(&request.form_value("csr"));
    let (_, parsed) = X509CertificationRequest::from_der(&der).unwrap();
    let subject = &parsed.certification_request_info.subject;
    let name = subject.iter_common_name().next().unwrap();
    name.as_str().unwrap().to_owned()
}

/// The documented sample, with its missing space.
fn info_document(one: &StubCertificate) -> String {
    let replaced = one.replaced_by.map(|id| id.to_string()).unwrap_or_default();
    let mut details = String::new();
    if !one.request.is_empty() {
        details += &format!(
            "<CertificateDetails>\r\n<CSR>\r\n<![CDATA[\r\n{}\r\n]]>\r\n</CSR>\
             <ApproverEmail>CNAMECSRHASH</ApproverEmail><CommonName>{}</CommonName>",
            one.request, one.host_name
        );
        if let [leaf, rest @ ..] = one.chain.as_slice() {
            details += &format!(
                "<Certificates CertificateReturned=\"true\" ReturnType=\"Individual\"><Certificate>\
                 <![CDATA[\r\n{leaf}\r\n]]></Certificate><CaCertificates>"
            );
            for certificate in rest {
                details += &format!(
                    "<Certificate Type=\"INTERMEDIATE\"><Certificate><![CDATA[{certificate}]]>\
                     </Certificate></Certificate>"
                );
            }
            details += "</CaCertificates></Certificates>";
        }
        details += "</CertificateDetails>";
    }
    format!(
        "<SSLGetInfoResult Status=\"{}\" StatusDescription=\"{}\" Type=\"{}\" IssuedOn=\"\" Expires=\"\" \
         ActivationExpireDate=\"\" OrderId=\"10439081\"ReplacedBy=\"{replaced}\" SANSCount=\"0\">{details}\
         <Provider><OrderID>111111</OrderID><Name>COMODO</Name></Provider></SSLGetInfoResult>",
        one.status, one.description, one.product
    )
}
