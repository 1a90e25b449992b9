import { Asset, AssetAlias, assetAny, Bundle, Dag, getClient, getContext } from "@updraft/sdk";

const orders = new Asset({ name: "conf_orders", uri: "file:///conf/orders" });
const files = new AssetAlias("conf_files");

const producer = new Dag("conf_assets_producer", { maxActiveRuns: 100 });
producer.task(
  "produce",
  async () => {
    const { outletEvents, conf } = getContext();
    outletEvents.of(orders).extra = { rows: 3 };
    if (conf.file !== undefined) outletEvents.of(files).add(new Asset({ name: String(conf.file) }), { part: 1 });
    await getClient().assetStateStore.forAsset(orders).set("written_by", getContext().runId);
  },
  { outlets: [orders, files] },
)();

const consumer = new Dag("conf_assets_consumer", { schedule: assetAny(orders, files), maxActiveRuns: 100 });
consumer.task(
  "consume",
  async () => ({
    events: getContext().triggeringAssetEvents.map(({ asset, extra, sourceDagId }) => ({
      name: asset.name,
      extra,
      sourceDagId,
    })),
    newest: (await getContext().inletEvents.of(orders, { ascending: false, limit: 1 })).map((event) => event.extra),
    writtenBy: await getClient()
      .assetStateStore.forAsset(Asset.ref({ name: "conf_orders" }))
      .get("written_by"),
  }),
  { inlets: [orders] },
)();

await new Bundle(producer, consumer).serve();
