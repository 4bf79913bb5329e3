package org.chunkllama.text;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.chunkllama.error.ModelFileException;
import org.chunkllama.error.UnsupportedModelException;

/** Makes tokenizers from what a model file says. */
public final class Tokenizers {
  private Tokenizers() {}

  /**
   * The tokenizer of a model.
   *
   * @throws ModelFileException where the file's vocabulary is broken or missing
   * @throws UnsupportedModelException where it is of a kind that is not supported, or this machine
   *     has no native tokenizers library and it needs one
   */
  public static Tokenizer of(TokenizerSpec spec) {
    return switch (spec) {
      case TokenizerSpec.HuggingFace file -> huggingFace(file);
      case TokenizerSpec.Gguf gguf -> gguf(gguf);
      case TokenizerSpec.IdsOnly(int size) -> idsOnly(size);
    };
  }

  private static Tokenizer idsOnly(int size) {
    var vocabulary = new Vocabulary.Builder(size);
    for (int id = 0; id < size; id++) {
      String text = " " + id;
      vocabulary.put(id, text, text.getBytes(StandardCharsets.UTF_8));
    }
    return new VocabularyTokenizer(new NoEncoder(), vocabulary.build(), false, -1, List.of());
  }

  private static Tokenizer huggingFace(TokenizerSpec.HuggingFace spec) {
    String source = read(spec.tokenizerJson());
    var json = new TokenizerJson(source);
    Vocabulary vocabulary = json.vocabulary();
    checkId(spec.bosId(), vocabulary, "BOS");
    for (int id : spec.eosIds()) {
      checkId(id, vocabulary, "EOS");
    }
    Encoder encoder = new NativeEncoder(source, json::withoutControlTokens);
    if (spec.addBos() != null) {
      encoder = new AffixEncoder(encoder, spec.addBos() ? spec.bosId() : -1, -1);
    }
    return new VocabularyTokenizer(
        encoder, vocabulary, json.stripsSpacePrefix(), spec.bosId(), spec.eosIds());
  }

  private static Tokenizer gguf(TokenizerSpec.Gguf spec) {
    var types = new GgufTokenTypes(spec);
    return switch (spec.model()) {
      case "llama" ->
          new VocabularyTokenizer(
              new SentencePieceEncoder(spec, types),
              vocabulary(spec, types, false),
              spec.addSpacePrefix(),
              spec.bosId(),
              spec.eosIds());
      case "gpt2" ->
          new VocabularyTokenizer(
              byteLevel(spec, types),
              vocabulary(spec, types, true),
              false,
              spec.bosId(),
              spec.eosIds());
      default ->
          throw new UnsupportedModelException(
              "tokenizer.ggml.model '"
                  + spec.model()
                  + "' is not supported; the Llama family uses llama (SentencePiece) and gpt2");
    };
  }

  private static Encoder byteLevel(TokenizerSpec.Gguf spec, GgufTokenTypes types) {
    var json = new GgufTokenizerJson(spec, types);
    var encoder =
        new NativeEncoder(
            json.write(ControlSpelling.AS_IS), () -> json.write(ControlSpelling.unguessable()));
    int eos = spec.addEos() && !spec.eosIds().isEmpty() ? spec.eosIds().getFirst() : -1;
    return new AffixEncoder(encoder, spec.addBos() ? spec.bosId() : -1, eos);
  }

  private static Vocabulary vocabulary(
      TokenizerSpec.Gguf spec, GgufTokenTypes types, boolean byteLevel) {
    int size = spec.tokens().size();
    var builder = new Vocabulary.Builder(size);
    for (int id = 0; id < size; id++) {
      String token = spec.tokens().get(id);
      if (types.isControl(id)) {
        builder.putSpecial(id, token);
      } else if (types.isUserDefined(id)) {
        builder.put(id, token, token.getBytes(StandardCharsets.UTF_8));
      } else if (byteLevel) {
        builder.put(id, token, ByteLevel.bytes(token));
      } else {
        builder.put(id, token, types.isByte(id) ? PieceBytes.bytes(token) : PieceBytes.text(token));
      }
    }
    return builder.build();
  }

  private static String read(Path tokenizerJson) {
    try {
      return Files.readString(tokenizerJson);
    } catch (CharacterCodingException e) {
      throw new ModelFileException(
          tokenizerJson + " is not UTF-8 text; download the model again", e);
    } catch (IOException e) {
      throw new ModelFileException(
          "cannot read "
              + tokenizerJson
              + "; a model folder needs its tokenizer.json, download it with the weights",
          e);
    }
  }

  private static void checkId(int id, Vocabulary vocabulary, String what) {
    if (id < -1 || id >= vocabulary.size()) {
      throw new ModelFileException(
          "the model's config names "
              + id
              + " as "
              + what
              + " token, but tokenizer.json has "
              + vocabulary.size()
              + " tokens; download both again");
    }
  }

  /** Puts BOS and EOS around what another encoder gives; -1 = none. */
  private record AffixEncoder(Encoder inner, int bosId, int eosId) implements Encoder {
    @Override
    public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
      int[] ids = inner.encode(text, false, parseSpecial);
      if (!addSpecial) {
        return ids;
      }
      int before = bosId >= 0 ? 1 : 0;
      int[] all = Arrays.copyOf(ids, before + ids.length + (eosId >= 0 ? 1 : 0));
      System.arraycopy(ids, 0, all, before, ids.length);
      if (bosId >= 0) {
        all[0] = bosId;
      }
      if (eosId >= 0) {
        all[all.length - 1] = eosId;
      }
      return all;
    }

    @Override
    public void close() {
      inner.close();
    }
  }
}
