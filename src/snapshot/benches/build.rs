//! How long it takes until a change is in force: 5,000 routers with their services, one of them changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use trafficcop_config::dynamic::document;
use trafficcop_config::read::{Format, document as read};
use trafficcop_config::settings::Settings;
use trafficcop_config::settings::entry_points::EntryPoint;
use trafficcop_merger::Configurations;
use trafficcop_snapshot::{Builder, Environment};

const ROUTERS: usize = 5_000;

fn configurations(changed: usize) -> Configurations {
    let mut yaml = String::from("http:\n  middlewares: {p: {addPrefix: {prefix: /p}}}\n  routers:\n");
    for number in 0..ROUTERS {
        let path = if number == 0 { changed } else { number };
        let _ = writeln!(
            yaml,
            "    r{number}: {{rule: 'Host(`h{number}.example.org`) && PathPrefix(`/p{path}`)', service: s{number}, \
             middlewares: [p]}}"
        );
    }
    yaml.push_str("  services:\n");
    for number in 0..ROUTERS {
        let _ = writeln!(yaml, "    s{number}: {{loadBalancer: {{servers: [{{url: 'http://10.0.0.1:{number}'}}]}}}}");
    }
    let node = read(&yaml, Format::Yaml, "file.yml").expect("it is YAML");
    let file = document::decode(node).expect("it is a configuration");
    [("file".into(), Arc::new(file))].into_iter().collect()
}

fn builder(control: &tokio::runtime::Handle) -> Builder {
    let mut settings = Settings::default();
    settings.entry_points.insert("web".to_owned(), EntryPoint { address: ":80".to_owned(), ..EntryPoint::default() });
    let settings = Arc::new(settings);
    Builder::new(Environment { settings, internal: BTreeMap::new(), control: control.clone() })
}

fn build(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (one, other) = (configurations(1), configurations(2));
    criterion.bench_function("5000 routers, all new", |bencher| {
        bencher.iter_batched(|| builder(runtime.handle()), |mut builder| builder.apply(&one), BatchSize::PerIteration);
    });
    let mut kept = builder(runtime.handle());
    kept.apply(&one);
    let mut turn = false;
    criterion.bench_function("5000 routers, one changed", |bencher| {
        bencher.iter(|| {
            turn = !turn;
            kept.apply(if turn { &other } else { &one })
        });
    });
}

criterion_group! { name = benches; config = Criterion::default().sample_size(20); targets = build }
criterion_main!(benches);
