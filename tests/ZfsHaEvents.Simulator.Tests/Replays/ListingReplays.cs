using Xunit;

namespace ZfsHaEvents.Simulator.Tests.Replays;

public sealed class ListingReplays(ReplayTotals totals)
{
    [Fact]
    public async Task Create_list_get_and_status_print_what_real_ones_print()
    {
        await using var replay = await Replay.BeginAsync(totals, "01-");
        await replay.TypeAsync("hosta", "zpool create -o cachefile=none -o multihost=on -O canmount=off tank1 mirror /dev/disk/by-id/virtio-d0 /dev/disk/by-id/virtio-d1", index: 1);
        await replay.TypeAsync("hosta", "zpool create -o cachefile=none -o multihost=on -O canmount=off tank2 mirror /dev/vdc /dev/vdd", index: 1);
        replay.Finish();

        var list = replay.Of("03-");
        await list.SetUpAsync("hosta", "zpool sync");
        // How much a new pool takes differs by a few sectors there: tank1 is the model.
        const string Tank2 = @"^tank2\s.*\n";
        const string NotTank2 = " | grep -v ^tank2";
        await list.TypeAsync("hosta", "zpool list", "zpool list" + NotTank2, Tank2);
        await list.TypeAsync("hosta", "zpool list -H -p", "zpool list -H -p" + NotTank2, Tank2);
        const string Columns = "zpool list -H -p -o name,guid,health,size,alloc,free,cap,frag,altroot,readonly,multihost,cachefile";
        await list.TypeAsync("hosta", Columns, Columns + NotTank2, Tank2);
        await list.TypeAsync("hosta", "zpool list -H -p -o name,guid,health tank1");
        await list.TypeAsync("hosta", "zpool list -H nosuch");
        await list.TypeAsync("hosta", "zpool list -H -o name,health tank1 nosuch");
        await list.TypeAsync("hosta", "zpool list -H -o nosuchprop tank1");
        await list.TypeAsync("hosta", "zpool status nosuch");
        await list.TypeAsync("hosta", "zpool get -H -p guid nosuch");
        await list.TypeAsync("hosta", "zfs list -H nosuch/x");
        await list.TypeAsync("hostb", "zpool list -H");
        await list.TypeAsync("hostb", "zpool list");
        await list.TypeAsync("hostb", "zpool status");
        await list.TypeAsync("hostb", "zpool status -x");
        await list.TypeAsync("hosta", "zpool status -x");
        list.Finish();

        var get = replay.Of("04-");
        await get.TypeAsync("hosta", "zpool get -H -p multihost,cachefile,guid,readonly,health,failmode,altroot,autoexpand,comment,delegation,load_guid tank1");
        await get.TypeAsync("hosta", "zpool get -H -p -o value multihost tank1");
        await get.TypeAsync("hosta", "zpool get -H -p all tank1");
        await get.TypeAsync("hosta", "zfs get -H -p all tank1");
        get.Finish();

        var status = replay.Of("05-");
        await status.TypeAsync("hosta", "zpool status");
        await status.TypeAsync("hosta", "zpool status -P -p -g tank1");
        status.Finish();
    }

    [Fact]
    public async Task Verbose_listings_and_histories_print_what_real_ones_print()
    {
        await using var replay = await Replay.BeginAsync(totals, "73-");
        await replay.SetUpAsync("hosta", "zpool create -o cachefile=none -o multihost=on -O canmount=off tank1 mirror /dev/disk/by-id/virtio-d0 /dev/disk/by-id/virtio-d1");
        await replay.SetUpAsync("hosta", "zfs create tank1/fs1; zpool create -o cachefile=none -O canmount=off solo /dev/disk/by-id/virtio-d4");
        // How much a new pool takes differs by a few sectors there: tank1 is the model.
        const string Solo = @"^solo\s.*\n|.*virtio-d4.*\n";
        const string NotSolo = " | grep -v 'solo\\|virtio-d4'";
        await replay.TypeAsync("hosta", "zpool list -v -H -P -p tank1 | cat -A");
        await replay.TypeAsync("hosta", "zpool list -v -H -P -p tank1");
        await replay.TypeAsync("hosta", "zpool list -v -P -p", "zpool list -v -P -p" + NotSolo, Solo);
        await replay.TypeAsync("hosta", "zpool list -v -H -p", "zpool list -v -H -p" + NotSolo, Solo);
        await replay.TypeAsync("hosta", "zpool list -v -H -P -p -o name,guid,health tank1");
        await replay.TypeAsync("hosta", "zpool list -H -p -o name,guid,health,readonly,multihost");
        await replay.TypeAsync("hosta", "zpool list -H -p -o name,guid,health,readonly,multihost tank1 nosuch; echo rc $?");
        await replay.TypeAsync("hosta", "zpool status -P -p tank1");
        await replay.TypeAsync("hosta", "zpool status -P -L");
        await replay.TypeAsync("hosta", "zpool get -H -p -o property,value guid,readonly,multihost,health tank1");
        await replay.TypeAsync("hosta", "zpool get -H -p -o name,property,value,source guid,readonly,multihost,health tank1 solo");
        await replay.TypeAsync("hosta", "zpool get -H -p -o value guid nosuch; echo rc $?");
        await replay.TypeAsync("hosta", "zpool import; echo rc $?");
        await replay.TypeAsync("hosta", "zpool import -d /dev/disk/by-id; echo rc $?");
        await replay.TypeAsync("hosta", "zpool history -l tank1");
        await replay.TypeAsync("hosta", "zpool history tank1 | tail -3");
        await replay.TypeAsync("hosta", "zpool list -g -v -H -p tank1");
        await replay.TypeAsync("hosta", "zfs list -H -p -r -o name,type,mounted,mountpoint,canmount,encryption,keystatus tank1");
        replay.Finish();
    }
}
