return await ZfsHaEvents.Cli.CommandLine.RunAsync(args);
