using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Cli.Moves;

/// <summary>The steps of a move as people call them.</summary>
static class StepWords
{
    public static string Of(MoveStep step) => step switch
    {
        MoveStep.Export => "export",
        MoveStep.Import => "import",
        MoveStep.PutBack => "put back",
        MoveStep.Fence => "fence",
        MoveStep.ReadLabels => "read labels",
        _ => step.ToString(),
    };

    public static string Of(string step) => Enum.TryParse<MoveStep>(step, out var known) ? Of(known) : step;
}
