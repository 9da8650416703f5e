namespace ZfsHaEvents.Cli.Text;

/// <summary>What a piece of text says by its colour, where there are colours. Nothing is said by colour alone.</summary>
enum Tone
{
    Plain,
    Strong,
    Dim,
    Good,
    Warning,
    Bad,
}

/// <summary>A piece of a line.</summary>
readonly record struct Piece(string Text, Tone Tone = Tone.Plain)
{
    public static implicit operator Piece(string text) => new(text);

    public static Piece Strong(string text) => new(text, Tone.Strong);

    public static Piece Dim(string text) => new(text, Tone.Dim);

    public static Piece Good(string text) => new(text, Tone.Good);

    public static Piece Warning(string text) => new(text, Tone.Warning);

    public static Piece Bad(string text) => new(text, Tone.Bad);
}
